package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeReports writes two reports and a damaged one.
func writeReports(t *testing.T) (amd, arm, damaged string) {
	t.Helper()
	dir := t.TempDir()
	amd, arm, damaged = filepath.Join(dir, "amd.json"), filepath.Join(dir, "arm.json"), filepath.Join(dir, "damaged.json")
	for name, r := range map[string]*report{amd: sampleReport("AMD", 0.2, "avx512", "generic"), arm: sampleReport("ARM", 0.3, "neon", "generic")} {
		if err := writeWhole(name, r.writeJSON); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(damaged, []byte(`{"format": "softmax bench", "version": 9}`), 0o666); err != nil {
		t.Fatal(err)
	}
	return amd, arm, damaged
}

func TestCompare(t *testing.T) {
	amd, arm, _ := writeReports(t)
	picture := filepath.Join(t.TempDir(), "out.svg")
	report := runOK(t, "compare", amd, arm, "-plot", picture)
	fields := strings.Join(strings.Fields(report), " ")
	for _, want := range []string{
		"[1] " + amd + ": AMD, 4 CPUs, linux/amd64, go1.26, 2026-01-02, 4.00 GHz",
		"[2] " + arm + ": ARM",
		"op dtype family rows n [1] avx512 [1] generic [1] copy [2] neon [2] generic [2] copy",
		"softmax float32 normal3 1 1024 0.209 ±2% 0.418 ±2% 0.627 ±2% 0.314 ±2% 0.627 ±2% 0.941 ±2%",
	} {
		if !strings.Contains(fields, want) {
			t.Errorf("report lacks %q:\n%s", want, report)
		}
	}
	if texts := svgTexts(t, readContent(t, picture)); !strings.Contains(strings.Join(texts, "\n"), "[2] neon") {
		t.Errorf("picture lacks a kernel: %q", texts)
	}
	report = runOK(t, "compare", amd, arm, "--kernel", "avx512,neon", "-op", "softmax", "-dtype", "float32,float64")
	if want := "n [1] avx512 [2] neon softmax"; !strings.Contains(strings.Join(strings.Fields(report), " "), want) {
		t.Errorf("report lacks %q:\n%s", want, report)
	}
}

// TestCompareDifferentRows checks that what a report lacks is a dash.
func TestCompareDifferentRows(t *testing.T) {
	a, b := sampleReport("A", 0.2, "avx2"), sampleReport("B", 0.4, "avx2")
	a.Timings, b.Timings = a.Timings[:1], b.Timings[1:2]
	var out strings.Builder
	if err := writeComparison(&out, []*report{a, b}); err != nil {
		t.Fatal(err)
	}
	want := "op dtype family rows n [1] avx2 [2] avx2 softmax float32 normal3 1 8 0.718 ±2% - softmax float32 normal3 1 64 - 0.538 ±2%"
	if got := strings.Join(strings.Fields(out.String()), " "); got != want {
		t.Errorf("table is %q, want %q", got, want)
	}
}

func TestCompareErrors(t *testing.T) {
	amd, _, damaged := writeReports(t)
	picture := filepath.Join(t.TempDir(), "out.svg")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{amd, damaged, "-plot", picture}, damaged + ": version is 9, expected 1"},
		{[]string{amd, "missing.json", "-plot", picture}, "open missing.json: "},
		{[]string{amd, "-plot", "out.pdf"}, "--plot: out.pdf, expected a name that ends with .svg or .png"},
		{[]string{amd, "-kernel", "vax"}, "--kernel: vax, expected avx512, avx2, neon, generic or copy"},
		{[]string{amd, "-op", "softmin"}, "--op: softmin, expected softmax, log-softmax or log-sum-exp"},
		{[]string{amd, "-dtype", "int8"}, "--dtype: int8, expected float32, float64, float16 or bfloat16"},
		{[]string{amd, "-kernel", "neon"}, amd + ": has none of the timings that are asked for"},
		{[]string{amd, "-op", "log-softmax", "-plot", picture}, amd + ": has none of the timings that are asked for"},
		{[]string{amd, "-dtype", "float64"}, amd + ": has none of the timings that are asked for"},
		{[]string{amd, "-plot", filepath.Join(picture, "no", "x.svg")}, "x.svg: "},
	} {
		checkError(t, run(append([]string{"compare"}, test.args...), io.Discard), test.want)
	}
	if _, err := os.Stat(picture); err == nil {
		t.Error("a picture was written")
	}
}
