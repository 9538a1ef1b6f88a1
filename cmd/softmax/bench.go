package main

// This file is the subcommand bench.

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

type benchCmd struct {
	Op     []string      `enum:"softmax,log-softmax,log-sum-exp" default:"softmax" placeholder:"NAME" help:"Operations: softmax, log-softmax, log-sum-exp; by default ${default}."`
	Dtype  []string      `enum:"float32,float64,float16,bfloat16" default:"float32" placeholder:"NAME" help:"Element types: float32, float64, float16, bfloat16; by default ${default}."`
	N      []int         `name:"n" aliases:"lengths" placeholder:"N" default:"8,16,32,64,128,256,512,1024,2048,4096,8192,32768,131072,262144,1048576,4194304,16777216" help:"Row lengths, by default ${default}."`
	Rows   int           `placeholder:"COUNT" default:"1" help:"Rows in each call, by default ${default}."`
	Family []string      `placeholder:"NAME" default:"normal3" help:"Families of rows: ${families}; by default ${default}, the normal distribution with standard deviation 3."`
	Kernel []string      `aliases:"kernels" placeholder:"NAME" help:"Kernels to time, by default all that run here."`
	Time   time.Duration `placeholder:"DURATION" default:"100ms" help:"Time for each kernel at each length, by default ${default}."`
	Count  int           `placeholder:"COUNT" default:"10" help:"Rounds that this time is divided into, by default ${default}. The kernels take turns in each. With fewer than 6 there is no confidence interval."`
	Name   string        `placeholder:"TEXT" help:"Name of the machine in the report, by default that of its CPU."`
	Format string        `enum:"table,go,json" default:"table" help:"What is printed: table, go (the format of go test -bench, for benchstat), or json; by default ${default}."`
	JSON   string        `name:"json" placeholder:"FILE" help:"Write the report as JSON, for compare, to this file as well."`
	Plot   string        `placeholder:"FILE" help:"Draw the time per element over the length to this file, .svg or .png."`
}

// Validate checks the flags.
func (c *benchCmd) Validate() error {
	const most = 1 << 28
	for _, n := range c.N {
		if n < 1 || n > most {
			return fmt.Errorf("--n: %d, expected 1 to %d", n, most)
		}
		if c.Rows < 1 || c.Rows > most/n {
			return fmt.Errorf("--rows: %d of %d elements, expected at least one row, and at most %d elements in all", c.Rows, n, most)
		}
	}
	for _, family := range c.Family {
		if !slices.Contains(familyNames(), family) {
			return fmt.Errorf("--family: %s, expected %s", family, alternatives(familyNames()))
		}
	}
	if c.Time <= 0 {
		return fmt.Errorf("--time: %v, expected more than 0", c.Time)
	}
	if c.Count < 1 || c.Count > 1000 {
		return fmt.Errorf("--count: %d, expected 1 to 1000", c.Count)
	}
	return checkPlotName(c.Plot)
}

// Run times the kernels.
func (c *benchCmd) Run(out io.Writer) error {
	all, note, err := startKernels()
	if err != nil {
		return err
	}
	defer stopKernels(all)
	kernels, err := selectKernels(all, c.Kernel)
	if err != nil {
		return err
	}
	r := newReport(note)
	r.Machine.CPU = cmp.Or(c.Name, r.Machine.CPU)
	tasks := c.tasks()
	p := newProgress(os.Stderr, 1)
	defer p.end()
	p.begin("timing", len(tasks)*c.Count)
	for _, task := range tasks {
		if err := r.time(kernels, task, c.Count, p); err != nil {
			return err
		}
	}
	p.end()
	if err := r.write(out, c.Format); err != nil {
		return err
	}
	if c.JSON != "" {
		if err := writeWhole(c.JSON, r.writeJSON); err != nil {
			return err
		}
	}
	if c.Plot != "" {
		return writePlot(c.Plot, []*report{r})
	}
	return nil
}

// tasks returns what each kernel has to do.
func (c *benchCmd) tasks() (tasks []task) {
	for _, op := range c.Op {
		for _, dtype := range c.Dtype {
			for _, family := range c.Family {
				for _, n := range c.N {
					tasks = append(tasks, task{Op: op, Dtype: dtype, Length: n, Rows: c.Rows, Family: family, Time: c.Time / time.Duration(c.Count)})
				}
			}
		}
	}
	return tasks
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
			return nil, fmt.Errorf("--kernel: %s, expected kernels that run here: %s", name, strings.Join(names(all), ", "))
		}
		selected = append(selected, all[i])
	}
	return selected, nil
}

// time has the kernels carry out the task in turn, count times, and checks that they
// return the same bits. Where results are as many as logits, the first also copies these in
// each round, which is what memory allows.
func (r *report) time(kernels []*kernel, t task, count int, p *progress) error {
	copying := t
	copying.Op = opCopy
	copying.Time /= 4 // it varies less, and is a line of the picture only
	copies := t.Op != opLogSumExp
	timed := make([]timing, len(kernels)+1)
	var hash string
	for range count {
		for i, k := range kernels {
			answer, err := k.run(t)
			if err != nil {
				return err
			}
			if hash == "" {
				hash = answer.Hash
			}
			if answer.Hash != hash {
				return fmt.Errorf("kernel %s: bits differ from those of kernel %s for %s of %s, family %s, at length %d, expected the same",
					k.name, kernels[0].name, t.Op, t.Dtype, t.Family, t.Length)
			}
			timed[i].add(answer)
		}
		if copies {
			answer, err := kernels[0].run(copying)
			if err != nil {
				return err
			}
			timed[len(kernels)].add(answer)
		}
		p.add(1)
	}
	for i, k := range kernels {
		r.Timings = append(r.Timings, timed[i].of(t, k.name))
	}
	if copies {
		r.Timings = append(r.Timings, timed[len(kernels)].of(t, opCopy))
	}
	return nil
}
