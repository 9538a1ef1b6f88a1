package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot"
)

// svgTexts returns the texts of an SVG file, which must be well-formed.
func svgTexts(t *testing.T, svg []byte) (texts []string) {
	t.Helper()
	for d, inText := xml.NewDecoder(bytes.NewReader(svg)), false; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inText = token.Name.Local == "text"
		case xml.EndElement:
			inText = false
		case xml.CharData:
			if inText {
				texts = append(texts, string(token))
			}
		}
	}
}

func drawSVG(t *testing.T, reports ...*report) []string {
	t.Helper()
	var out bytes.Buffer
	if err := drawReports(&out, ".svg", reports); err != nil {
		t.Fatal(err)
	}
	return svgTexts(t, out.Bytes())
}

func TestPlotOne(t *testing.T) {
	r := sampleReport("A <CPU> & more", 0.2, "avx512", "avx2", "generic")
	texts := drawSVG(t, r)
	for _, want := range []string{"A <CPU> & more, linux/amd64, go1.26, 2026-01-02", "softmax, float32", "elements in a row", "ns per element",
		"avx512", "avx2", "generic", "L1, 32 KiB", "copy: copying logits to results, the limit", "what a row reads and writes fills a cache",
		"avx512: limit of execution ports,", "2 vectors a cycle at 4.00 GHz", "64", "32Ki"} {
		if !slices.Contains(texts, want) {
			t.Errorf("picture lacks %q: %q", want, texts)
		}
	}
	// Rows of up to 64 Ki float32 fill only the first cache.
	if slices.Contains(texts, "L2, 1 MiB") || slices.Contains(texts, "L3, 32 MiB") {
		t.Errorf("picture has caches that no row fills: %q", texts)
	}
}

func TestPlotSeveral(t *testing.T) {
	arm := sampleReport("ARM", 0.3, "neon", "generic")
	other := arm.Timings[0]
	other.Op, other.Dtype, other.Family, other.Rows = opLogSoftmax, "bfloat16", "zeros", 7
	arm.Timings = append(arm.Timings, other)
	texts := drawSVG(t, sampleReport("AMD", 0.2, "avx512"), arm)
	for _, want := range []string{"[1] AMD,", "[2] ARM,", "[1] avx512", "[2] neon", "[2] generic", "softmax, float32", "log-softmax, bfloat16, zeros, 7 rows"} {
		if !slices.Contains(texts, want) {
			t.Errorf("picture lacks %q: %q", want, texts)
		}
	}
}

// TestPlotLittle checks pictures of one length and one round, which has no interval.
func TestPlotLittle(t *testing.T) {
	r := sampleReport("CPU", 0.2, "generic")
	r.Machine.L1, r.Machine.L2, r.Machine.L3 = 0, 0, 0
	r.Timings = r.Timings[:1]
	r.Timings[0].Nanoseconds, r.Timings[0].GHz = []float64{5}, []float64{3}
	if texts := drawSVG(t, r); !slices.Contains(texts, "generic") {
		t.Errorf("picture lacks the kernel: %q", texts)
	}
}

func TestPlotPNG(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.png")
	if err := writePlot(name, []*report{sampleReport("CPU", 0.2, "neon", "generic")}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	size := picture.Bounds().Size()
	if size.X < 1000 || size.Y < 500 {
		t.Errorf("picture has %v pixels", size)
	}
	// The background is opaque and white up to the corners.
	for _, x := range []int{0, size.X - 1} {
		for _, y := range []int{0, size.Y - 1} {
			if r, g, b, a := picture.At(x, y).RGBA(); r&g&b&a != 0xffff {
				t.Errorf("pixel (%d, %d) is %v, want opaque white", x, y, picture.At(x, y))
			}
		}
	}
}

func TestPortLimit(t *testing.T) {
	intel, zen4, zen5, arm := machineInfo{Vendor: "Intel", Family: 6}, machineInfo{Vendor: "AMD", Family: 0x19},
		machineInfo{Vendor: "AMD", Family: 0x1a}, machineInfo{Vendor: "ARM"}
	for _, test := range []struct {
		machine           machineInfo
		op, dtype, kernel string
		want              float64 // cycles per vector
	}{
		{intel, opSoftmax, "float32", "avx512", 18.5 / 2}, {zen4, opSoftmax, "float32", "avx512", 18.5 / 2},
		{zen5, opSoftmax, "float32", "avx512", 18.5 / 4}, {intel, opLogSoftmax, "float32", "avx2", 19. / 3},
		{zen4, opLogSumExp, "float32", "avx2", 17. / 4}, {arm, opSoftmax, "float32", "neon", 20.5 / 4},
		{zen5, opSoftmax, "float64", "avx512", 22. / 4}, {intel, opLogSumExp, "float64", "avx2", 24.5 / 3},
		{arm, opSoftmax, "float64", "neon", 24.5 / 4}, {zen5, opSoftmax, "float64", "generic", 0},
		{zen5, opSoftmax, "float16", "avx2", 0},
	} {
		r := &report{Machine: test.machine, Timings: []timing{{GHz: []float64{4}}}}
		bytes := map[string]float64{"float32": 4, "float64": 8}[test.dtype]
		got, _ := r.portLimit(panelKey{op: test.op, dtype: test.dtype}, test.kernel)
		want := 0.0
		if test.want != 0 {
			want = test.want / (vectorBytes[test.kernel] / bytes) / 4
		}
		if math.Abs(got-want) > 1e-12 {
			t.Errorf("%+v: %v ns, want %v", test, got, want)
		}
	}
}

func TestTicks(t *testing.T) {
	labels := func(ticks []plot.Tick) string {
		var s []string
		for _, tick := range ticks {
			if tick.Label != "" {
				s = append(s, tick.Label)
			}
		}
		return strings.Join(s, " ")
	}
	for _, test := range []struct{ got, want string }{
		{labels(lengthTicks{}.Ticks(7, 1<<25)), "8 64 512 4Ki 32Ki 256Ki 2Mi 16Mi"},
		{labels(lengthTicks{}.Ticks(100, 1000)), "128 256 512"},
		{labels(timeTicks{}.Ticks(0.03, 3)), "0.05 0.1 0.2 0.5 1 2"},
		{byteSize(48 << 10), "48 KiB"},
		{byteSize(32 << 20), "32 MiB"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}
