package softmaxbeam_test

import (
	"context"
	"fmt"
	"log"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/seed174f7dca/softmax"
	softmaxbeam "github.com/seed174f7dca/softmax/beam"
)

// score is what a model thinks of a film for a user.
type score struct {
	User, Film string
	Logit      float32
}

var scores = []score{
	{"ann", "Alien", 2}, {"ann", "Brazil", 1}, {"ann", "Casablanca", 0.1},
	{"bob", "Alien", 3}, {"bob", "Brazil", 3},
}

func perUser(s score) (user string, logit float32) { return s.User, s.Logit }

func logit(s score) float32 { return s.Logit }

func show(name string, x float32) { fmt.Printf("%s %.4f\n", name, x) }

func showAll(x float32) { fmt.Printf("%.4f\n", x) }

func init() {
	register.Function1x2(perUser)
	register.Function1x1(logit)
	register.Function2x0(show)
	register.Function1x0(showAll)
	register.Function2x2(probability)
}

// run runs a pipeline on Beam's local runner. A program calls beam.Init before it
// makes a pipeline.
func run(p *beam.Pipeline) {
	if _, err := beam.Run(context.Background(), "prism", p); err != nil {
		log.Fatal(err)
	}
}

func ExampleLogSumExpPerKey() {
	p, s := beam.NewPipelineWithRoot()
	logits := beam.ParDo(s, perUser, beam.CreateList(s, scores)) // PCollection<KV<string, float32>>
	beam.ParDo0(s, show, softmaxbeam.LogSumExpPerKey(s, logits))
	run(p)
	// Unordered output:
	// ann 2.4170
	// bob 3.6931
}

func ExampleSoftmaxPerKey() {
	p, s := beam.NewPipelineWithRoot()
	logits := beam.ParDo(s, perUser, beam.CreateList(s, scores))
	beam.ParDo0(s, show, softmaxbeam.SoftmaxPerKey(s, logits))
	run(p)
	// Unordered output:
	// ann 0.6590
	// ann 0.2424
	// ann 0.0986
	// bob 0.5000
	// bob 0.5000
}

func ExampleLogSoftmaxPerKey() {
	p, s := beam.NewPipelineWithRoot()
	logits := beam.ParDo(s, perUser, beam.CreateList(s, scores))
	beam.ParDo0(s, show, softmaxbeam.LogSoftmaxPerKey(s, logits))
	run(p)
	// Unordered output:
	// ann -0.4170
	// ann -1.4170
	// ann -2.3170
	// bob -0.6931
	// bob -0.6931
}

// The log-sum-exp of a collection without keys.
func ExampleLogSumExpFn() {
	p, s := beam.NewPipelineWithRoot()
	logits := beam.ParDo(s, logit, beam.CreateList(s, scores)) // PCollection<float32>
	beam.ParDo0(s, showAll, beam.Combine(s, &softmaxbeam.LogSumExpFn[float32]{}, logits))
	run(p)
	// Output: 3.9393
}

// probability is a DoFn with a side input, the total of all scores. Beam shares it
// between calls, which do not change it.
func probability(s score, total *softmax.Accumulator[float32]) (film string, p float32) {
	one := []float32{s.Logit}
	total.Softmax(one, one)
	return s.User + ": " + s.Film, one[0]
}

// The softmax of a collection without keys, of any size, whose elements keep their names.
func ExampleAccumulateFn() {
	p, s := beam.NewPipelineWithRoot()
	all := beam.CreateList(s, scores)
	total := beam.Combine(s, &softmaxbeam.AccumulateFn[float32]{}, beam.ParDo(s, logit, all))
	beam.ParDo0(s, show, beam.ParDo(s, probability, all, beam.SideInput{Input: total}))
	run(p)
	// Unordered output:
	// ann: Alien 0.1438
	// ann: Brazil 0.0529
	// ann: Casablanca 0.0215
	// bob: Alien 0.3909
	// bob: Brazil 0.3909
}
