package main

// This file shows how far long work has come.

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

const (
	progressDelay    = 500 * time.Millisecond // quicker work shows nothing
	progressInterval = 100 * time.Millisecond // from one update to the next
	progressSteps    = 1000                   // of the bar in each stage
)

// progress is a bar that appears when work has taken progressDelay, and is wiped
// away in the end. Work consists of stages, each of which gets an equal part of
// the bar. The zero value shows nothing.
type progress struct {
	out    io.Writer // nil where there is no terminal
	stages int
	start  time.Time
	shown  time.Time // of the last update
	bar    *progressbar.ProgressBar

	stage       int // from 1 on
	name        string
	done, total int
}

// newProgress returns a bar on f, which is seen only if f is a terminal.
func newProgress(f *os.File, stages int) *progress {
	if !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	return &progress{out: f, stages: stages, start: time.Now()}
}

// begin begins the next stage, with total units of work; 0 if that is unknown.
func (p *progress) begin(name string, total int) {
	p.stage++
	p.name, p.done, p.total = name, 0, total
	if p.bar != nil {
		p.bar.Describe(name)
		p.shown = time.Time{} // so that the part done is right at once
	}
	p.update()
}

// add counts n units of work as done.
func (p *progress) add(n int) {
	p.done += n
	p.update()
}

// update shows the bar, if it is time to.
func (p *progress) update() {
	now := time.Now()
	if p.out == nil || now.Sub(p.start) < progressDelay || now.Sub(p.shown) < progressInterval {
		return
	}
	p.shown = now
	if p.bar == nil {
		p.bar = progressbar.NewOptions(p.stages*progressSteps,
			progressbar.OptionSetWriter(p.out),
			progressbar.OptionSetDescription(p.name),
			progressbar.OptionSetRenderBlankState(true),
			progressbar.OptionSetPredictTime(false))
	}
	steps := (p.stage - 1) * progressSteps
	if p.total > 0 {
		steps += int(float64(min(p.done, p.total)) / float64(p.total) * progressSteps)
	}
	p.bar.Set(steps)
}

// end wipes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		p.bar.Clear()
		p.bar = nil
	}
	p.out = nil
}
