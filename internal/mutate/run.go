package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The results of a mutant.
const (
	killed   = "killed"
	alive    = "alive"
	notBuilt = "does not build"
)

// A Result is a line of the file that -o names. A later one replaces an earlier.
type Result struct {
	Mutant
	Result  string  `json:"result"`
	By      string  `json:"by,omitempty"` // what killed it, or the assembler's or compiler's message
	Seconds float64 `json:"seconds"`
}

// A stage is some of the tests. Those that take little time come first.
type stage struct {
	run   string // for -test.run
	limit time.Duration
}

// A target is an architecture to test mutants on.
type target struct {
	arch   string
	exec   []string // emulator
	env    []string
	skip   []string // what need not run
	stages []stage
}

// newTarget returns that of a file. Mutants in assembly leave the kernel in Go as it is.
func newTarget(file string) *target {
	t := &target{arch: "amd64"}
	if strings.Contains(file, "_arm64") {
		t.arch = "arm64"
		t.env = []string{"SOFTMAX_WANT_KERNEL=neon"}
	} else if !strings.HasSuffix(file, ".go") {
		t.env = []string{"SOFTMAX_WANT_KERNEL=avx512"}
	}
	if !strings.HasSuffix(file, ".go") {
		t.skip = []string{"-test.skip=/^kernel=generic$"}
	}
	if t.arch != runtime.GOARCH {
		emulator := map[string]string{"amd64": "qemu-x86_64-static", "arm64": "qemu-aarch64-static"}
		t.exec = []string{emulator[t.arch]}
	}
	return t
}

func (t *target) name() string { return strings.Join(append([]string{t.arch}, t.env...), " ") }

// A runner tests mutants of the package in dir, one at a time.
type runner struct {
	dir   string
	tmp   string
	cache map[string]bool // files of the build cache that stay
}

func newRunner(dir, tmp string) (*runner, error) {
	return &runner{dir: dir, tmp: tmp}, os.MkdirAll(filepath.Join(tmp, "source"), 0o777)
}

func (r *runner) path(name string) string { return filepath.Join(r.tmp, name) }

// build compiles the tests with the files of an overlay. The error is the compiler's.
func (r *runner) build(ctx context.Context, t *target, overlay map[string][]byte) error {
	replace := map[string]string{}
	for name, content := range overlay {
		path := r.path(filepath.Join("source", name))
		if err := os.WriteFile(path, content, 0o666); err != nil {
			return err
		}
		replace[filepath.Join(r.dir, name)] = path
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	if err := os.WriteFile(r.path("overlay.json"), text, 0o666); err != nil {
		return err
	}
	c := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-p=1", "-ldflags=-s -w", "-overlay", r.path("overlay.json"), "-o", r.path("softmax.test"), ".")
	c.Dir = r.dir
	c.Env = append(os.Environ(), "GOCACHE="+r.path("cache"), "GOARCH="+t.arch, "GOOS=linux", "CGO_ENABLED=0")
	if output, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(output))
	}
	return nil
}

// keep makes what the build cache has stay there.
func (r *runner) keep() error {
	r.cache = map[string]bool{}
	return r.eachCached(func(path string) error {
		r.cache[path] = true
		return nil
	})
}

// forget removes from the build cache what mutants left: megabytes each.
func (r *runner) forget() error {
	return r.eachCached(func(path string) error {
		if r.cache[path] {
			return nil
		}
		return os.Remove(path)
	})
}

func (r *runner) eachCached(f func(path string) error) error {
	return filepath.WalkDir(r.path("cache"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return f(path)
	})
}

// test runs tests of the last build. It returns what they print, and an error if
// they fail or exceed the limit.
func (r *runner) test(ctx context.Context, t *target, limit time.Duration, args ...string) (string, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	command := slices.Concat(t.exec, []string{r.path("softmax.test"), "-test.short"}, t.skip, args)
	c := exec.CommandContext(limited, command[0], command[1:]...)
	c.Dir = r.dir
	c.Env = append(os.Environ(), "SOFTMAX_KERNEL=", "SOFTMAX_WANT_KERNEL=")
	c.Env = append(c.Env, t.env...)
	c.WaitDelay = time.Second
	output, err := c.CombinedOutput()
	if limited.Err() != nil && ctx.Err() == nil {
		err = errors.New("timeout")
	}
	return string(output), err
}

var (
	passed = regexp.MustCompile(`(?m)^--- PASS: (\w+) \(([\d.]+)s\)`)
	failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	broken = regexp.MustCompile(`(?m)^(panic|fatal error|SIG[A-Z]+|unexpected fault)[^\n]*`)
)

// plan runs the unchanged tests and divides them into stages. A stage may take five
// times what it took, and at least the given time.
func (r *runner) plan(ctx context.Context, t *target, least time.Duration) error {
	if err := r.build(ctx, t, nil); err != nil {
		return err
	}
	output, err := r.test(ctx, t, time.Hour, "-test.v")
	if err != nil {
		return fmt.Errorf("%s: the unchanged tests fail: %w\n%s", t.name(), err, output[max(0, len(output)-2000):])
	}
	type timed struct {
		name string
		took float64
	}
	var tests []timed
	var total float64
	for _, m := range passed.FindAllStringSubmatch(output, -1) {
		took, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return err
		}
		tests = append(tests, timed{m[1], took})
		total += took
	}
	slices.SortStableFunc(tests, func(a, b timed) int { return cmp.Compare(a.took, b.took) })
	var sum float64
	for _, part := range []float64{0.04, 0.2, 1} {
		var names []string
		before := sum
		for len(tests) > 0 && (sum+tests[0].took <= part*total || part == 1) {
			names = append(names, tests[0].name)
			sum += tests[0].took
			tests = tests[1:]
		}
		limit := max(least, time.Duration(5*(sum-before)*float64(time.Second)))
		t.stages = append(t.stages, stage{"^(" + strings.Join(names, "|") + ")$", limit})
	}
	return nil
}

// overlay returns the files that a mutant changes. Headers do not go into an overlay:
// their text goes into the files that include them.
func (m *Mutant) overlay(dir string) (map[string][]byte, error) {
	src, err := os.ReadFile(filepath.Join(dir, m.File))
	if err != nil {
		return nil, err
	}
	changed := m.apply(src)
	if !strings.HasSuffix(m.File, ".h") {
		return map[string][]byte{m.File: changed}, nil
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.s"))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		include := []byte("#include \"" + m.File + "\"\n")
		if bytes.Contains(text, include) {
			files[filepath.Base(path)] = bytes.Replace(text, include, changed, 1)
		}
	}
	return files, nil
}

// try finds out what becomes of a mutant.
func (r *runner) try(ctx context.Context, t *target, m *Mutant) (*Result, error) {
	start := time.Now()
	result := &Result{Mutant: *m, Result: alive}
	defer func() { result.Seconds = time.Since(start).Round(100 * time.Millisecond).Seconds() }()
	overlay, err := m.overlay(r.dir)
	if err != nil {
		return nil, err
	}
	err = r.build(ctx, t, overlay)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		lines := strings.Split(err.Error(), "\n")
		result.Result, result.By = notBuilt, strings.ReplaceAll(lines[min(1, len(lines)-1)], r.tmp, "")
		return result, r.forget()
	}
	for _, s := range t.stages {
		output, err := r.test(ctx, t, s.limit, "-test.failfast", "-test.run="+s.run)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			result.Result, result.By = killed, killer(output, err)
			break
		}
	}
	return result, r.forget()
}

// killer returns what a failure's output tells about it.
func killer(output string, err error) string {
	if m := failed.FindAllStringSubmatch(output, -1); m != nil {
		return m[0][1]
	}
	if m := broken.FindString(output); m != "" {
		return m
	}
	return err.Error()
}

// prepare returns runners, and plans the targets. The first one's build cache, which
// then has all that tests depend on, is copied to the others.
func prepare(ctx context.Context, dir, tmp string, targets map[string]*target, n int, least time.Duration) (runners []*runner, err error) {
	for i := range n {
		r, err := newRunner(dir, filepath.Join(tmp, strconv.Itoa(i)))
		if err != nil {
			return nil, err
		}
		runners = append(runners, r)
	}
	for _, t := range targets {
		if err := runners[0].plan(ctx, t, least); err != nil {
			return nil, err
		}
	}
	for i, r := range runners {
		if i > 0 {
			if err := os.CopyFS(r.path("cache"), os.DirFS(runners[0].path("cache"))); err != nil {
				return nil, err
			}
		}
		if err := r.keep(); err != nil {
			return nil, err
		}
	}
	return runners, nil
}

// runAll tests a mutant of every slot, those on record left out, and calls record
// with each result.
func runAll(ctx context.Context, dir string, slots []slot, known map[string]*Result, workers int, least time.Duration, record func(*Result) error) error {
	tmp, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	targets := map[string]*target{}
	for _, s := range slots {
		t := newTarget(s[0].File)
		targets[t.name()] = t
	}
	runners, err := prepare(ctx, dir, tmp, targets, workers, least)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var lock sync.Mutex
	done := 0
	settle := func(r *runner, s slot) error {
		for i := range s {
			result := known[s[i].ID]
			if result == nil {
				var err error
				if result, err = r.try(ctx, targets[newTarget(s[i].File).name()], &s[i]); err != nil {
					return err
				}
				lock.Lock()
				err = record(result)
				lock.Unlock()
				if err != nil {
					return err
				}
			}
			if result.Result != notBuilt {
				break
			}
		}
		lock.Lock()
		defer lock.Unlock()
		done++
		fmt.Fprintf(os.Stderr, "%d of %d\n", done, len(slots))
		return nil
	}
	queue := make(chan slot)
	var group sync.WaitGroup
	for _, r := range runners {
		group.Go(func() {
			for s := range queue {
				if err := settle(r, s); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
send:
	for _, s := range slots {
		select {
		case queue <- s:
		case <-ctx.Done():
			break send
		}
	}
	close(queue)
	group.Wait()
	return context.Cause(ctx)
}
