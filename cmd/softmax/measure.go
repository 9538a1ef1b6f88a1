package main

// This file measures time, and the clock of the core.

import (
	"slices"
	"time"
)

// rounds is how often each measurement is taken up again. Taking turns spreads
// what else the machine does over all kernels.
const rounds = 5

// measure calls call over and over, for about total but one sample at least. It
// returns the nanoseconds of one call in each sample, and the clock.
func measure(call func(), total time.Duration) (nanoseconds []float64, ghz float64) {
	// Samples this long make the resolution of the timer negligible.
	const sampleTime = 50 * time.Microsecond
	sample := func(calls int) time.Duration {
		start := time.Now()
		for range calls {
			call()
		}
		return time.Since(start)
	}
	calls := 1
	for sample(calls) < sampleTime {
		calls *= 2
	}
	// The clock varies, so it is taken between the samples.
	var clocks []float64
	for start := time.Now(); len(nanoseconds) == 0 || time.Since(start) < total; {
		nanoseconds = append(nanoseconds, float64(sample(calls))/float64(calls))
		clocks = append(clocks, coreClock())
	}
	return nanoseconds, median(clocks)
}

// coreClock returns the clock of this core in GHz, from the time of a chain of
// operations. Each waits for the one before and takes one cycle, as 64-bit
// addition and exclusive or between registers do on current processors; the
// loop counter runs beside the chain. A time stamp counter would not do: it
// ticks at a constant rate of its own.
func coreClock() float64 {
	const rounds, operations = 2000, 16
	x, a, b := chain[0], chain[1], chain[2]
	start := time.Now()
	for range rounds {
		x = (x + a) ^ b
		x = (x + a) ^ b
		x = (x + a) ^ b
		x = (x + a) ^ b
		x = (x + a) ^ b
		x = (x + a) ^ b
		x = (x + a) ^ b
		x = (x + a) ^ b
	}
	elapsed := time.Since(start)
	chain[0] = x
	return rounds * operations / float64(max(elapsed, 1))
}

// chain keeps the compiler from computing the chain of coreClock itself.
var chain = [3]uint64{1, 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9}

// median returns the median of v, which must not be empty.
func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
