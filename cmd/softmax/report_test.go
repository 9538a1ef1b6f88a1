package main

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/perf/benchfmt"
)

// sampleReport returns a report whose times depend on the machine and the kernel.
func sampleReport(cpu string, factor float64, kernels ...string) *report {
	r := newReport("")
	r.Date = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r.Machine = machineInfo{cpu, "Intel", 6, 1, 4, "linux", "amd64", "go1.26", kernels[0], 32 << 10, 1 << 20, 32 << 20}
	for i, kernel := range append(kernels, opCopy) {
		for _, n := range []int{8, 64, 1024, 65536} {
			elements := float64(n) + 20
			t := timing{Op: opSoftmax, Dtype: "float32", Family: "normal3", Rows: 1, N: n, Kernel: kernel}
			for round := range 6 {
				t.Nanoseconds = append(t.Nanoseconds, elements*factor*float64(i+1)*(1+float64(round)/100))
				t.GHz = append(t.GHz, 4)
			}
			r.Timings = append(r.Timings, t)
		}
	}
	return r
}

func TestReportJSON(t *testing.T) {
	want := sampleReport("CPU", 0.2, "avx2", "generic")
	var out bytes.Buffer
	if err := want.writeJSON(&out); err != nil {
		t.Fatal(err)
	}
	got, err := parseReport(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, wrote %+v", got, want)
	}
}

// TestReportDamaged checks that foreign and damaged files are refused.
func TestReportDamaged(t *testing.T) {
	var whole bytes.Buffer
	if err := sampleReport("CPU", 0.2, "avx2").writeJSON(&whole); err != nil {
		t.Fatal(err)
	}
	change := func(change func(fields, timing map[string]any)) []byte {
		var fields map[string]any
		if err := json.Unmarshal(whole.Bytes(), &fields); err != nil {
			t.Fatal(err)
		}
		change(fields, fields["timings"].([]any)[1].(map[string]any))
		data, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	set := func(name string, value any) []byte {
		return change(func(fields, _ map[string]any) { fields[name] = value })
	}
	setTiming := func(name string, value any) []byte {
		return change(func(_, timing map[string]any) { timing[name] = value })
	}
	for _, test := range []struct {
		data []byte
		want string
	}{
		{nil, "is not a JSON object: unexpected end of JSON input, expected a file that softmax bench --json has written"},
		{[]byte("\x93NUMPY"), "is not a JSON object: "},
		{whole.Bytes()[:whole.Len()/2], "is not a JSON object: "},
		{append(whole.Bytes(), '7'), "is not a JSON object: "},
		{[]byte("[]"), "is not a JSON object: json: cannot unmarshal array"},
		{[]byte("{}"), `format is "", expected a file that softmax bench --json has written, where it is "softmax bench"`},
		{set("format", "other"), `format is "other", expected`},
		{set("version", 2), "version is 2, expected 1"},
		{set("colour", "red"), `json: unknown field "colour", expected`},
		{set("timings", nil), "timings are missing, expected one at least"},
		{set("timings", 7), "json: cannot unmarshal"},
		{set("date", "yesterday"), "yesterday"},
		{setTiming("op", "copy"), `timings[1]: op is "copy", expected softmax, log-softmax or log-sum-exp`},
		{setTiming("dtype", "int8"), `timings[1]: dtype is "int8", expected float32, float64, float16 or bfloat16`},
		{setTiming("kernel", "vax"), `timings[1]: kernel is "vax", expected avx512, avx2, neon, generic or copy`},
		{setTiming("n", 0), "timings[1]: n is 0 and rows is 1, expected 1 or more"},
		{setTiming("rows", -1), "timings[1]: n is 64 and rows is -1, expected 1 or more"},
		{setTiming("nanoseconds", []float64{}), "timings[1]: 0 nanoseconds and 6 ghz, expected as many, and one at least"},
		{setTiming("nanoseconds", []float64{1, 2, 3, 4, 5, 0}), "timings[1]: nanoseconds or ghz that are not positive, expected numbers above 0"},
		{setTiming("ghz", []float64{1, 2, 3, -4, 5, 6}), "timings[1]: nanoseconds or ghz that are not positive, expected numbers above 0"},
	} {
		_, err := parseReport(test.data)
		checkError(t, err, test.want)
	}
}

// TestReportGo checks that the Go format can be read by its library, value by value.
func TestReportGo(t *testing.T) {
	r := sampleReport("A CPU", 0.2, "avx2")
	var out bytes.Buffer
	if err := r.writeGo(&out); err != nil {
		t.Fatal(err)
	}
	results := 0
	for reader := benchfmt.NewReader(&out, "test"); reader.Scan(); {
		result, ok := reader.Result().(*benchfmt.Result)
		if !ok {
			t.Fatalf("%+v is no result", reader.Result())
		}
		timing, round := r.Timings[results/6], results%6
		results++
		if !strings.HasSuffix(result.Name.String(), "/kernel="+timing.Kernel) || result.GetConfig("cpu") != "A CPU" {
			t.Errorf("name is %q on %q, want kernel %s on A CPU", result.Name, result.GetConfig("cpu"), timing.Kernel)
		}
		if seconds, ok := result.Value("sec/op"); !ok || math.Abs(seconds*1e9/timing.Nanoseconds[round]-1) > 1e-12 {
			t.Errorf("%s: %v seconds, want %v nanoseconds", result.Name, seconds, timing.Nanoseconds[round])
		}
	}
	if want := 6 * len(r.Timings); results != want {
		t.Errorf("%d results, want %d", results, want)
	}
}

func TestPerElement(t *testing.T) {
	ten := timing{N: 5, Rows: 2, Nanoseconds: []float64{100, 40, 10, 20, 30, 50}}
	if s := ten.perElement(); s.Center != 3.5 || s.Lo != 1 || s.Hi != 10 {
		t.Errorf("median %v from %v to %v, want 3.5 from 1 to 10", s.Center, s.Lo, s.Hi)
	}
	few := timing{N: 1, Rows: 1, Nanoseconds: []float64{1, 2}}
	if s := few.perElement(); !math.IsInf(s.Hi, 1) {
		t.Errorf("interval of two rounds ends at %v, want +Inf", s.Hi)
	}
}

func TestReportTable(t *testing.T) {
	var out strings.Builder
	r := sampleReport("A CPU", 0.2, "avx2")
	r.Note = "a note"
	if err := r.writeTable(&out); err != nil {
		t.Fatal(err)
	}
	fields := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{"A CPU, 4 CPUs, linux/amd64, go1.26 2026-01-02;", "Note: a note.", "4.00 to 4.00 GHz",
		"softmax float32 normal3 1 1024 avx2 214.0 0.2090 2% 0.836 38.28"} {
		if !strings.Contains(fields, want) {
			t.Errorf("table lacks %q:\n%s", want, out.String())
		}
	}
}
