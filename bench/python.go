package bench

// This file runs the libraries of Python, in a process of their own.

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

//go:embed peers.py
var pythonProgram string

// python is the process, which is started when it is needed first.
var python = sync.OnceValue(func() *pythonProcess {
	p := startPython()
	closePython = p.close
	return p
})

// closePython ends the process, if it has been started.
var closePython = func() error { return nil }

// pythonNames are the peers that it has.
var pythonNames = []string{"pytorch", "numpy", "scipy"}

// pythonProcess runs peers.py, which describes the messages.
type pythonProcess struct {
	libraries map[string]pythonLibrary
	dir       string // for logits and results
	command   *exec.Cmd
	in        io.WriteCloser
	requests  *json.Encoder
	answers   *json.Decoder
	errors    bytes.Buffer
}

// pythonLibrary has one of these.
type pythonLibrary struct {
	Version string
	Missing string
}

type pythonRequest struct {
	Peer  string `json:"peer"`
	Dtype string `json:"dtype"`
	Rows  int    `json:"rows"`
	Cols  int    `json:"cols"`
	Calls int    `json:"calls"`
	Src   string `json:"src"`
	Dst   string `json:"dst"`
}

// startPython starts the Python that the environment variable PYTHON names, or
// else the first that has NumPy.
func startPython() *pythonProcess {
	pythons := []string{"python3", "/usr/bin/python3"} // Debian's packages belong to the latter
	if named := os.Getenv("PYTHON"); named != "" {
		pythons = []string{named}
	}
	i := slices.IndexFunc(pythons, func(path string) bool {
		return exec.Command(path, "-c", "import numpy").Run() == nil
	})
	p, err := newPython(pythons[max(i, 0)])
	if err != nil {
		p = &pythonProcess{libraries: make(map[string]pythonLibrary)}
		for _, name := range pythonNames {
			p.libraries[name] = pythonLibrary{Missing: err.Error()}
		}
	}
	return p
}

// newPython starts a Python.
func newPython(path string) (*pythonProcess, error) {
	dir, err := os.MkdirTemp("", "softmax-bench")
	if err != nil {
		return nil, err
	}
	p := &pythonProcess{dir: dir, command: exec.Command(path, "-c", pythonProgram)}
	p.command.Env = append(os.Environ(), "OMP_NUM_THREADS=1")
	p.command.Stderr = &p.errors
	if err := p.start(); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *pythonProcess) start() error {
	var err error
	if p.in, err = p.command.StdinPipe(); err != nil {
		return err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.command.Start(); err != nil {
		return err
	}
	p.requests, p.answers = json.NewEncoder(p.in), json.NewDecoder(out)
	return p.receive(&p.libraries)
}

// receive decodes an answer.
func (p *pythonProcess) receive(answer any) error {
	if err := p.answers.Decode(answer); err != nil {
		p.close() // so that all errors are there
		return fmt.Errorf("%s: no answer from peers.py: %v\n%s", p.command.Path, err, &p.errors)
	}
	return nil
}

// close ends the process and removes its files.
func (p *pythonProcess) close() error {
	if p.dir == "" {
		return nil
	}
	defer os.RemoveAll(p.dir)
	if p.command.Process == nil {
		return nil
	}
	p.in.Close()
	return p.command.Wait()
}

// pythonPeers returns the peers that Python runs.
func pythonPeers[T native]() (peers []peer[T]) {
	p := python()
	for _, name := range pythonNames {
		library := p.libraries[name]
		peers = append(peers, peer[T]{
			name:    name,
			about:   fmt.Sprintf("version %s, called from Python, one thread", library.Version),
			missing: library.Missing,
			softmax: func(dst, src []T, cols, calls int) (time.Duration, error) {
				return runPython(p, name, dst, src, cols, calls)
			},
		})
	}
	return peers
}

// runPython does what peer.softmax has to do. The time is that of the calls in
// Python, without the files.
func runPython[T native](p *pythonProcess, name string, dst, src []T, cols, calls int) (time.Duration, error) {
	r := pythonRequest{
		Peer: name, Dtype: typeName[T](),
		Rows: len(src) / cols, Cols: cols, Calls: calls,
		Src: filepath.Join(p.dir, "src"), Dst: filepath.Join(p.dir, "dst"),
	}
	var logits bytes.Buffer
	if err := binary.Write(&logits, binary.LittleEndian, src); err != nil {
		return 0, err
	}
	if err := os.WriteFile(r.Src, logits.Bytes(), 0o600); err != nil {
		return 0, err
	}
	if err := p.requests.Encode(r); err != nil {
		return 0, err
	}
	var seconds float64
	if err := p.receive(&seconds); err != nil {
		return 0, err
	}
	result, err := os.ReadFile(r.Dst)
	if err != nil {
		return 0, err
	}
	if err := binary.Read(bytes.NewReader(result), binary.LittleEndian, dst); err != nil {
		return 0, err
	}
	return time.Duration(seconds * float64(time.Second)), nil
}
