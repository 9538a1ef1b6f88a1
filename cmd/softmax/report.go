package main

// This file is the report of bench: as a table, as JSON, and in the format of Go's
// benchmarks.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/klauspost/cpuid/v2"
	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"

	"github.com/seed174f7dca/softmax"
)

// reportFormat and reportVersion begin every report in JSON. The version changes with
// the meaning of its fields.
const (
	reportFormat  = "softmax bench"
	reportVersion = 1
)

// report is what bench has measured on one machine.
type report struct {
	Format  string      `json:"format"`
	Version int         `json:"version"`
	Date    time.Time   `json:"date"`
	Command []string    `json:"command"`
	Note    string      `json:"note,omitempty"`
	Machine machineInfo `json:"machine"`
	Timings []timing    `json:"timings"`
}

// machineInfo describes a machine. Caches have their size in bytes, 0 if it is unknown.
type machineInfo struct {
	CPU    string `json:"cpu"`
	Vendor string `json:"vendor"`
	Family int    `json:"family"` // 0 if it is unknown
	Model  int    `json:"model"`
	CPUs   int    `json:"cpus"`
	OS     string `json:"goos"`
	Arch   string `json:"goarch"`
	Go     string `json:"go"`
	Kernel string `json:"kernel"` // the one in use if none is asked for
	L1     int    `json:"l1d"`
	L2     int    `json:"l2"`
	L3     int    `json:"l3"`
}

// timing is how long a kernel takes for one call. The kernel called copy copies the
// logits instead.
type timing struct {
	Op          string    `json:"op"`
	Dtype       string    `json:"dtype"`
	Family      string    `json:"family"`
	Rows        int       `json:"rows"`
	N           int       `json:"n"` // of each row
	Kernel      string    `json:"kernel"`
	Nanoseconds []float64 `json:"nanoseconds"` // of one call: the median of each round
	GHz         []float64 `json:"ghz"`         // of the core meanwhile
}

func newReport(note string) *report {
	return &report{
		Format:  reportFormat,
		Version: reportVersion,
		Date:    time.Now().UTC().Truncate(time.Second),
		Command: append([]string{"softmax"}, os.Args[1:]...),
		Note:    note,
		Machine: thisMachine(),
	}
}

func thisMachine() machineInfo {
	cpu := cpuid.CPU
	return machineInfo{
		CPU: cpuName(), Vendor: cpu.VendorID.String(), Family: cpu.Family, Model: cpu.Model, CPUs: runtime.NumCPU(),
		OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(), Kernel: softmax.Kernel(),
		L1: max(cpu.Cache.L1D, 0), L2: max(cpu.Cache.L2, 0), L3: max(cpu.Cache.L3, 0), // unknown is -1 there
	}
}

func (m machineInfo) String() string {
	return fmt.Sprintf("%s, %s, %s/%s, %s", m.CPU, cpuCount(m.CPUs), m.OS, m.Arch, m.Go)
}

// add adds the result of one round, in as many digits as mean anything.
func (t *timing) add(r result) {
	round := func(x float64) float64 { return max(1, math.Round(x*1e4)) / 1e4 }
	t.Nanoseconds = append(t.Nanoseconds, round(median(r.Nanoseconds)))
	t.GHz = append(t.GHz, round(r.GHz))
}

// of returns t as the timing of a task and a kernel.
func (t timing) of(task task, kernel string) timing {
	t.Op, t.Dtype, t.Family, t.Rows, t.N, t.Kernel = task.Op, task.Dtype, task.Family, task.Rows, task.Length, kernel
	return t
}

// confidence is that of the intervals.
const confidence = 0.95

// perElement returns the median of nanoseconds for an element and its confidence
// interval, which is infinite where there are too few rounds.
func (t *timing) perElement() benchmath.Summary {
	var values []float64
	for _, ns := range t.Nanoseconds {
		values = append(values, ns/float64(t.N)/float64(t.Rows))
	}
	return benchmath.AssumeNothing.Summary(benchmath.NewSample(values, &benchmath.DefaultThresholds), confidence)
}

// bytesPerElement returns how many bytes are read and written for each element.
func (t *timing) bytesPerElement() float64 {
	size := elementBytes(t.Dtype)
	if t.Op == opLogSumExp {
		return size
	}
	return 2 * size
}

// elementBytes returns the size of an element.
func elementBytes(dtype string) float64 {
	switch dtype {
	case float32Type.name:
		return 4
	case float64Type.name:
		return 8
	}
	return 2
}

// write writes the report in a format.
func (r *report) write(out io.Writer, format string) error {
	switch format {
	case "go":
		return r.writeGo(out)
	case "json":
		return r.writeJSON(out)
	}
	return r.writeTable(out)
}

// writeTable writes the report for people.
func (r *report) writeTable(out io.Writer) error {
	fmt.Fprintf(out, "%s\n%s; out of place, one thread; medians of rounds in turn, with %.0f%% confidence\n",
		r.Machine, r.Date.Format(time.DateOnly), 100*confidence)
	if r.Note != "" {
		fmt.Fprintf(out, "Note: %s.\n", r.Note)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\nop\tdtype\tfamily\trows\tn\tkernel\tns/call\tns/element\t±\tcycles/element\tGB/s\t\n")
	var clocks []float64
	for _, t := range r.Timings {
		s := t.perElement()
		ghz := median(t.GHz)
		clocks = append(clocks, ghz)
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%.1f\t%.4f\t%s\t%.3f\t%.2f\t\n",
			t.Op, t.Dtype, t.Family, t.Rows, t.N, t.Kernel,
			s.Center*float64(t.N)*float64(t.Rows), s.Center, s.PctRangeString(), s.Center*ghz, t.bytesPerElement()/s.Center)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nGB/s counts each value once read and, but for log-sum-exp, once written; the kernel copy\n"+
		"copies the logits, and shows what memory allows. Cycles are of the core, whose clock was\n"+
		"taken between the samples from a chain of 64-bit additions and exclusive ors, each\n"+
		"waiting one cycle for the one before: %.2f to %.2f GHz.\n", slices.Min(clocks), slices.Max(clocks))
	return nil
}

// writeGo writes the report as go test -bench does, one line for every round, which
// benchstat reads.
func (r *report) writeGo(out io.Writer) error {
	config := func(key, value string) benchfmt.Config {
		return benchfmt.Config{Key: key, Value: []byte(value), File: true}
	}
	w := benchfmt.NewWriter(out)
	for _, t := range r.Timings {
		name := fmt.Sprintf("Row/op=%s/dtype=%s/family=%s/rows=%d/n=%d/kernel=%s", t.Op, t.Dtype, t.Family, t.Rows, t.N, t.Kernel)
		for i, ns := range t.Nanoseconds {
			elements := float64(t.N) * float64(t.Rows)
			if err := w.Write(&benchfmt.Result{
				Config: []benchfmt.Config{config("goos", r.Machine.OS), config("goarch", r.Machine.Arch), config("cpu", r.Machine.CPU)},
				Name:   benchfmt.Name(name),
				Iters:  1,
				Values: []benchfmt.Value{{Value: ns, Unit: "ns/op"}, {Value: ns / elements, Unit: "ns/element"},
					{Value: ns / elements * t.GHz[i], Unit: "cycles/element"}},
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeJSON writes the report for compare, with each timing on a line.
func (r *report) writeJSON(out io.Writer) error {
	head := *r
	head.Timings = []timing{}
	text, err := json.MarshalIndent(head, "", "\t")
	if err != nil {
		return err
	}
	var lines [][]byte
	for _, t := range r.Timings {
		line, err := json.Marshal(t)
		if err != nil {
			return err
		}
		lines = append(lines, line)
	}
	text = bytes.TrimSuffix(text, []byte("]\n}"))
	_, err = fmt.Fprintf(out, "%s\n\t\t%s\n\t]\n}\n", text, bytes.Join(lines, []byte(",\n\t\t")))
	return err
}

// readReport reads what writeJSON has written to a file.
func readReport(name string) (*report, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	r, err := parseReport(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

func parseReport(data []byte) (*report, error) {
	const expected = "expected a file that softmax bench --json has written"
	var head struct {
		Format  string
		Version int
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("is not a JSON object: %w, %s", err, expected)
	}
	if head.Format != reportFormat {
		return nil, fmt.Errorf("format is %q, %s, where it is %q", head.Format, expected, reportFormat)
	}
	if head.Version != reportVersion {
		return nil, fmt.Errorf("version is %d, expected %d; measure again with this version of softmax", head.Version, reportVersion)
	}
	r := new(report)
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(r); err != nil {
		return nil, fmt.Errorf("%w, %s", err, expected)
	}
	if len(r.Timings) == 0 {
		return nil, fmt.Errorf("timings are missing, expected one at least")
	}
	for i, t := range r.Timings {
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("timings[%d]: %w", i, err)
		}
	}
	return r, nil
}

// check returns an error if t is no timing of bench.
func (t *timing) check() error {
	positive := func(values []float64) bool {
		return !slices.ContainsFunc(values, func(x float64) bool { return !(x > 0) || math.IsInf(x, 0) })
	}
	switch {
	case !slices.Contains(operations, t.Op):
		return fmt.Errorf("op is %q, expected %s", t.Op, alternatives(operations))
	case !slices.Contains(rowTypes, t.Dtype):
		return fmt.Errorf("dtype is %q, expected %s", t.Dtype, alternatives(rowTypes))
	case !slices.Contains(kernelNames, t.Kernel) && t.Kernel != opCopy:
		return fmt.Errorf("kernel is %q, expected %s or %s", t.Kernel, strings.Join(kernelNames, ", "), opCopy)
	case t.N < 1 || t.Rows < 1:
		return fmt.Errorf("n is %d and rows is %d, expected 1 or more", t.N, t.Rows)
	case len(t.Nanoseconds) == 0 || len(t.GHz) != len(t.Nanoseconds):
		return fmt.Errorf("%d nanoseconds and %d ghz, expected as many, and one at least", len(t.Nanoseconds), len(t.GHz))
	case !positive(t.Nanoseconds) || !positive(t.GHz):
		return errors.New("nanoseconds or ghz that are not positive, expected numbers above 0")
	}
	return nil
}

// writeWhole makes what write writes the content of the file called name, or leaves the
// file as it was.
func writeWhole(name string, write func(out io.Writer) error) error {
	return replaceFile(name, func(ctx context.Context, out io.WriterAt) error {
		if err := write(io.NewOffsetWriter(out, 0)); err != nil {
			return err
		}
		return ctx.Err()
	})
}

// kernels returns the kernels that were timed.
func (r *report) kernels() (kernels []string) {
	for _, t := range r.Timings {
		if t.Kernel != opCopy && !slices.Contains(kernels, t.Kernel) {
			kernels = append(kernels, t.Kernel)
		}
	}
	return kernels
}

// clock returns the median of the clock in all rounds, in GHz.
func (r *report) clock() float64 {
	var ghz []float64
	for _, t := range r.Timings {
		ghz = append(ghz, t.GHz...)
	}
	return median(ghz)
}

// title names the machine and the day.
func (r *report) title() string {
	return strings.Join([]string{r.Machine.CPU, r.Machine.OS + "/" + r.Machine.Arch, r.Machine.Go, r.Date.Format(time.DateOnly)}, ", ")
}
