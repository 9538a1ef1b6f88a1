package main

// This file is the subcommand info.

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/klauspost/cpuid/v2"
	"golang.org/x/sys/cpu"

	"github.com/seed174f7dca/softmax"
)

type infoCmd struct{}

// Run describes the CPU and its kernels.
func (infoCmd) Run(out io.Writer) error {
	kernels, note, err := startKernels()
	if err != nil {
		return err
	}
	available := names(kernels)
	stopKernels(kernels)

	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "CPU\t%s\n", machine())
	fmt.Fprintf(w, "features\t%s\n", featureList())
	fmt.Fprintf(w, "caches\t%s\n", cacheList())
	fmt.Fprintf(w, "kernels\t%s\n", strings.Join(available, ", "))
	fmt.Fprintf(w, "in use\t%s\n", reason(os.Getenv("SOFTMAX_KERNEL"), softmax.Kernel(), available))
	if note != "" {
		fmt.Fprintf(w, "note\t%s\n", note)
	}
	return w.Flush()
}

// feature is a CPU feature that a kernel needs.
type feature struct {
	name string
	has  bool
}

// features are what each kernel needs. AVX512VBMI2 stands for Ice Lake, Zen 4
// and newer, where AVX-512 does not slow the clock.
var features = map[string][]feature{
	"avx512": {
		{"AVX512F", cpu.X86.HasAVX512F},
		{"AVX512BW", cpu.X86.HasAVX512BW},
		{"AVX512DQ", cpu.X86.HasAVX512DQ},
		{"AVX512VL", cpu.X86.HasAVX512VL},
		{"AVX512VBMI2", cpu.X86.HasAVX512VBMI2},
	},
	"avx2": {{"AVX2", cpu.X86.HasAVX2}, {"FMA", cpu.X86.HasFMA}, {"F16C", cpuid.CPU.Supports(cpuid.F16C)}},
	"neon": {{"ASIMD", cpu.ARM64.HasASIMD}},
}

// kernelArch is the GOARCH of the kernels that do not run everywhere.
var kernelArch = map[string]string{"avx512": "amd64", "avx2": "amd64", "neon": "arm64"}

// reason says which kernel is in use and why, given the value of SOFTMAX_KERNEL
// and the kernels that are available.
func reason(forced, active string, available []string) string {
	switch {
	case forced == active:
		return fmt.Sprintf("%s: chosen by SOFTMAX_KERNEL=%s", active, forced)
	case forced != "" && slices.Contains(kernelNames, forced):
		return fmt.Sprintf("%s: SOFTMAX_KERNEL=%s cannot be had (%s), using the best", active, forced, obstacle(forced))
	case forced != "":
		return fmt.Sprintf("%s: SOFTMAX_KERNEL=%s is unknown, expected one of %s; using the best", active, forced, strings.Join(kernelNames, ", "))
	}
	why := []string{"runs everywhere"}
	if needs := features[active]; needs != nil {
		why = []string{join(needs) + " found"}
	}
	// Kernels are listed from the fastest on: say why each before was passed over.
	for _, name := range kernelNames[:slices.Index(kernelNames, active)] {
		if kernelArch[name] == runtime.GOARCH && !slices.Contains(available, name) {
			why = append(why, fmt.Sprintf("%s not chosen: %s", name, obstacle(name)))
		}
	}
	return active + ": " + strings.Join(why, "; ")
}

// obstacle says why a kernel is not available.
func obstacle(name string) string {
	if arch := kernelArch[name]; arch != runtime.GOARCH {
		return fmt.Sprintf("it needs %s, this is %s", arch, runtime.GOARCH)
	}
	missing := slices.DeleteFunc(slices.Clone(features[name]), func(f feature) bool { return f.has })
	if len(missing) > 0 {
		return "the CPU lacks " + join(missing)
	}
	return "this build leaves it out"
}

// join lists the names of features.
func join(features []feature) string {
	var s []string
	for _, f := range features {
		s = append(s, f.name)
	}
	if n := len(s); n > 1 {
		s = append(s[:n-2], s[n-2]+" and "+s[n-1])
	}
	return strings.Join(s, ", ")
}

// featureList says which features that matter to kernels the CPU has and lacks.
func featureList() string {
	var has, lacks []feature
	for _, name := range slices.Backward(kernelNames) {
		if kernelArch[name] != runtime.GOARCH {
			continue
		}
		for _, f := range features[name] {
			if f.has {
				has = append(has, f)
			} else {
				lacks = append(lacks, f)
			}
		}
	}
	var s []string
	if has != nil {
		s = append(s, join(has))
	}
	if lacks != nil {
		s = append(s, "lacks "+join(lacks))
	}
	if s == nil {
		return "none that matter here"
	}
	return strings.Join(s, "; ")
}

// cacheList lists the data caches.
func cacheList() string {
	var s []string
	for _, cache := range []struct {
		name string
		size int
	}{{"L1d", cpuid.CPU.Cache.L1D}, {"L2", cpuid.CPU.Cache.L2}, {"L3", cpuid.CPU.Cache.L3}} {
		if cache.size > 0 {
			s = append(s, fmt.Sprintf("%s %d KiB", cache.name, cache.size>>10))
		}
	}
	if s == nil {
		return "unknown"
	}
	return strings.Join(s, ", ")
}

// machine names the CPU and the platform.
func machine() string {
	return fmt.Sprintf("%s, %s, %s/%s", cpuName(), cpuCount(runtime.NumCPU()), runtime.GOOS, runtime.GOARCH)
}

func cpuCount(n int) string {
	if n == 1 {
		return "1 CPU"
	}
	return fmt.Sprintf("%d CPUs", n)
}

func cpuName() string {
	return cmp.Or(strings.TrimSpace(cpuid.CPU.BrandName), "unknown CPU")
}
