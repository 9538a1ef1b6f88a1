package softmax

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"sync/atomic"
	"testing"
)

// pauses returns how often the garbage collector stopped the program, by duration.
func pauses(b *testing.B) *metrics.Float64Histogram {
	sample := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		b.Skip("this version of Go does not report pauses")
	}
	return sample[0].Value.Float64Histogram()
}

// BenchmarkPauses calls the garbage collector while a row of 64M elements is
// computed: it has to wait until the goroutine can be stopped. One operation is one
// collection. Pauses are reported as the upper ends of the histogram's buckets.
func BenchmarkPauses(b *testing.B) {
	const n = 64 << 20
	src, dst := familyNamed[float32]("normal3").MakeRow(n, 1), make([]float32, n)
	scores := Scores{Keep: make([]bool, n)} // a row without keys
	row := func(data []float32) Matrix[float32] { return Matrix[float32]{data, 1, n, n} }
	var whole Accumulator[float32]
	whole.Add(src)
	for _, work := range []struct {
		name string
		run  func()
	}{
		{"Softmax", func() { Softmax(dst, src) }},
		{"LogSoftmax", func() { LogSoftmax(dst, src) }},
		{"LogSumExp", func() { LogSumExp(src) }},
		{"Accumulator", func() { whole.Softmax(dst, src) }},
		{"Scores", func() { scores.Softmax(row(dst), row(src)) }},
		{"nothing", func() { runtime.Gosched() }},
	} {
		b.Run(work.name, func(b *testing.B) {
			eachKernel(b, func(b *testing.B) {
				// Only the collections that are asked for.
				defer debug.SetGCPercent(debug.SetGCPercent(-1))
				var stop atomic.Bool
				started, done := make(chan bool), make(chan bool)
				go func() {
					for close(started); !stop.Load(); {
						work.run()
					}
					close(done)
				}()
				<-started
				before := pauses(b)
				for b.Loop() {
					runtime.GC()
				}
				after := pauses(b)
				stop.Store(true)
				<-done
				reportPauses(b, before, after)
			})
		})
	}
}

// reportPauses reports the median, the 99th percentile and the longest of the pauses
// between two readings. Where other programs keep the processors busy, the longest
// is the time that the operating system takes to run this one again.
func reportPauses(b *testing.B, before, after *metrics.Float64Histogram) {
	var ends []float64
	for i, count := range after.Counts {
		end := after.Buckets[i+1]
		if math.IsInf(end, 1) {
			end = after.Buckets[i]
		}
		ends = append(ends, slices.Repeat([]float64{end * 1e6}, int(count-before.Counts[i]))...)
	}
	b.ReportMetric(ends[len(ends)/2], "median-µs")
	b.ReportMetric(ends[len(ends)*99/100], "99%-µs")
	b.ReportMetric(ends[len(ends)-1], "longest-µs")
}
