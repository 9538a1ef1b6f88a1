// Package golden compares what a program prints with a file. The bits of package
// softmax are the same on every processor, and so is what the examples print.
package golden

import (
	"flag"
	"os"
	"strings"
	"testing"
)

// File is what a program prints without arguments, in the folder of its test.
const File = "testdata/output.txt"

var update = flag.Bool("update", false, "write "+File+" anew")

// Check reports a test failure with the first line in which got differs from File.
func Check(t *testing.T, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(File, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(File)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			t.Fatalf("line %d is\n%s\nwant, as in %s:\n%s", i+1, gotLines[i], File, wantLines[i])
		}
	}
	t.Fatalf("%d lines, want %d, as in %s", len(gotLines), len(wantLines), File)
}
