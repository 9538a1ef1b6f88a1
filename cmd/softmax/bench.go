package main

// This file is the subcommand bench.

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

type benchCmd struct {
	Op      []string      `enum:"softmax,log-softmax,log-sum-exp" default:"softmax" placeholder:"NAME" help:"Operations: softmax, log-softmax, log-sum-exp; by default ${default}."`
	Dtype   []string      `enum:"float32,float64,float16,bfloat16" default:"float32" placeholder:"NAME" help:"Element types: float32, float64, float16, bfloat16; by default ${default}."`
	Kernels []string      `placeholder:"NAME" help:"Kernels to time, by default all that run here."`
	Lengths []int         `placeholder:"N" default:"8,16,32,64,128,256,512,1024,4096,32768,131072,1048576,16777216" help:"Row lengths, by default ${default}."`
	Time    time.Duration `placeholder:"DURATION" default:"100ms" help:"Time for each kernel at each length, by default ${default}."`
}

// Validate checks the flags.
func (c *benchCmd) Validate() error {
	const longest = 1 << 28
	for _, n := range c.Lengths {
		if n < 1 || n > longest {
			return fmt.Errorf("--lengths: %d, expected 1 to %d", n, longest)
		}
	}
	if c.Time <= 0 {
		return fmt.Errorf("--time: %v, expected more than 0", c.Time)
	}
	return nil
}

// Run times the kernels.
func (c *benchCmd) Run(out io.Writer) error {
	all, note, err := startKernels()
	if err != nil {
		return err
	}
	defer stopKernels(all)
	kernels, err := selectKernels(all, c.Kernels)
	if err != nil {
		return err
	}

	fmt.Fprintf(out, "%s, %s\n", machine(), runtime.Version())
	fmt.Fprintf(out, "values from N(0,3), out of place, one thread; medians of %d rounds in turn\n", rounds)
	if note != "" {
		fmt.Fprintf(out, "Note: %s.\n", note)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\nop\tdtype\tlength\tkernel\tns/call\tns/element\tcycles/element\tGB/s\t\n")
	p := newProgress(os.Stderr, 1)
	defer p.end()
	tasks := c.tasks()
	p.begin("timing", len(tasks)*rounds*len(kernels))
	var clocks []float64
	for _, task := range tasks {
		timings, err := timeKernels(kernels, task, p)
		if err != nil {
			return err
		}
		for i, t := range timings {
			perElement := t.nanoseconds / float64(task.Length)
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%.1f\t%.4f\t%.3f\t%.2f\t\n",
				task.Op, task.Dtype, task.Length, kernels[i].name,
				t.nanoseconds, perElement, perElement*t.ghz, task.bytesPerElement()/perElement)
			clocks = append(clocks, t.ghz)
		}
	}
	p.end()
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprint(out, "\nGB/s counts each value once read and, but for log-sum-exp, once written. Cycles are\n"+
		"of the core, whose clock was taken between the samples from a chain of 64-bit\n"+
		"additions and exclusive ors, each waiting one cycle for the one before:\n")
	fmt.Fprintf(out, "%.2f to %.2f GHz.\n", slices.Min(clocks), slices.Max(clocks))
	return nil
}

// tasks returns what each kernel has to do.
func (c *benchCmd) tasks() (tasks []task) {
	for _, op := range c.Op {
		for _, dtype := range c.Dtype {
			for _, n := range c.Lengths {
				tasks = append(tasks, task{op, dtype, n, c.Time / rounds})
			}
		}
	}
	return tasks
}

// bytesPerElement returns how many bytes are read and written for each element.
func (t task) bytesPerElement() float64 {
	size := 2.0
	switch t.Dtype {
	case float32Type.name:
		size = 4
	case float64Type.name:
		size = 8
	}
	if t.Op == opLogSumExp {
		return size
	}
	return 2 * size
}

// selectKernels returns the kernels with the given names, or all for no names.
func selectKernels(all []*kernel, wanted []string) ([]*kernel, error) {
	if len(wanted) == 0 {
		return all, nil
	}
	var selected []*kernel
	for _, name := range wanted {
		i := slices.Index(names(all), name)
		if i < 0 {
			return nil, fmt.Errorf("--kernels: %s, expected kernels that run here: %s", name, strings.Join(names(all), ", "))
		}
		selected = append(selected, all[i])
	}
	return selected, nil
}

// timing is how long a kernel takes for one call.
type timing struct {
	nanoseconds float64
	ghz         float64
}

// timeKernels has the kernels carry out the task in turn, and checks that they
// return the same bits.
func timeKernels(kernels []*kernel, t task, p *progress) ([]timing, error) {
	samples := make([][]float64, len(kernels))
	clocks := make([][]float64, len(kernels))
	var hash string
	for range rounds {
		for i, k := range kernels {
			r, err := k.run(t)
			if err != nil {
				return nil, err
			}
			if hash == "" {
				hash = r.Hash
			}
			if r.Hash != hash {
				return nil, fmt.Errorf("kernel %s: bits differ from those of kernel %s for %s of %s at length %d, expected the same",
					k.name, kernels[0].name, t.Op, t.Dtype, t.Length)
			}
			samples[i] = append(samples[i], r.Nanoseconds...)
			clocks[i] = append(clocks[i], r.GHz)
			p.add(1)
		}
	}
	timings := make([]timing, len(kernels))
	for i := range timings {
		timings[i] = timing{median(samples[i]), median(clocks[i])}
	}
	return timings, nil
}
