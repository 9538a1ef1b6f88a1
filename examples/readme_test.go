package examples

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed174f7dca/softmax/examples/internal/golden"
)

// What README.md says that a program prints has to be in its output, in this order.
// A line "..." stands for any lines.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"attention", "classify", "sample"} {
		file, err := os.ReadFile(filepath.Join(name, golden.File))
		if err != nil {
			t.Fatal(err)
		}
		_, block, ok := strings.Cut(string(readme), "$ go run ./examples/"+name+"\n")
		block, _, closed := strings.Cut(block, "```")
		if !ok || !closed {
			t.Errorf("README.md lacks the output of %s", name)
		}
		output := "\n" + string(file)
		for part := range strings.SplitSeq("\n"+block, "\n...") {
			part = strings.TrimSuffix(part, "\n") + "\n"
			_, rest, found := strings.Cut(output, part)
			if !found {
				t.Errorf("%s does not print, after what README.md has before:\n%s", name, part)
				break
			}
			output = "\n" + rest
		}
	}
}
