package bench

// This file has the logits that all peers get.

import "math/rand/v2"

// family is a distribution of logits.
type family struct {
	name  string // in the names of benchmarks
	title string // in tables
	logit func(r *rand.Rand) float64
}

var (
	normal  = &family{"normal", "N(0,1)", func(r *rand.Rand) float64 { return r.NormFloat64() }}
	spread  = &family{"spread", "U(-50,50)", func(r *rand.Rand) float64 { return 100*r.Float64() - 50 }}
	shifted = &family{"shifted", "1000+N(0,3)", func(r *rand.Rand) float64 { return 1000 + 3*r.NormFloat64() }}
)

// benchCase is what is computed in one call.
type benchCase struct {
	family *family
	cols   int // elements of a row
	rows   int
}

// batch is the number of elements in a call for many rows: as many as keep the cost
// of a call from showing, and not too many for the second cache.
const batch = 32768

// lengths are those of rows.
var lengths = []int{8, 16, 32, 64, 128, 256, 512, 1024, 4096, 32768, 131072, 1 << 20}

// accuracyCases are those whose errors the table shows.
var accuracyCases = []benchCase{
	{normal, 1024, 1},
	{spread, 1024, 1},
	{normal, 1 << 20, 1},
	{spread, 1 << 20, 1},
	{shifted, 1 << 20, 1},
}

// logits returns those of a case, the same ones in each run.
func logits[T native](c benchCase) []T {
	r := rand.New(rand.NewPCG(uint64(c.cols), uint64(c.rows)))
	values := make([]T, c.rows*c.cols)
	for i := range values {
		values[i] = T(c.family.logit(r))
	}
	return values
}
