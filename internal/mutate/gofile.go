package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"math"
	"os"
	"path/filepath"
	"strconv"
)

// A goPackage is the package for amd64, parsed. What it imports has no types: that
// would take seconds, and mutants want the types of numbers and their conversions.
type goPackage struct {
	fset  *token.FileSet
	files map[string]*ast.File
	src   map[string][]byte
	types map[ast.Expr]types.TypeAndValue
}

func loadPackage(dir string) (*goPackage, error) {
	context := build.Default
	context.GOOS, context.GOARCH, context.CgoEnabled = "linux", "amd64", false
	found, err := context.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	src := map[string][]byte{}
	for _, name := range found.GoFiles {
		if src[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return parsePackage(src)
}

func parsePackage(src map[string][]byte) (*goPackage, error) {
	p := &goPackage{token.NewFileSet(), map[string]*ast.File{}, src, map[ast.Expr]types.TypeAndValue{}}
	var files []*ast.File
	for name, text := range src {
		file, err := parser.ParseFile(p.fset, name, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		p.files[name] = file
		files = append(files, file)
	}
	config := types.Config{Error: func(error) {}} // makes the check go on behind each import
	_, _ = config.Check("softmax", p.fset, files, &types.Info{Types: p.types})
	return p, nil
}

// mutants returns those of a file, in order.
func (p *goPackage) mutants(name string) (mutants []Mutant) {
	for _, decl := range p.files[name].Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Body != nil { // nil: in assembly
				f := finder{p, name, functionName(d), &mutants}
				ast.Inspect(d.Body, f.visit)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if s, ok := spec.(*ast.ValueSpec); ok {
					f := finder{p, name, s.Names[0].Name, &mutants}
					ast.Inspect(s, f.visit)
				}
			}
		}
	}
	identify(mutants)
	return mutants
}

// functionName returns the name of a function, with the type of a method before it.
func functionName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	receiver := d.Recv.List[0].Type
	for {
		switch t := receiver.(type) {
		case *ast.StarExpr:
			receiver = t.X
		case *ast.IndexExpr:
			receiver = t.X
		case *ast.IndexListExpr:
			receiver = t.X
		case *ast.Ident:
			return t.Name + "." + d.Name.Name
		default:
			return d.Name.Name
		}
	}
}

// A finder collects the mutants of a function or of a declaration.
type finder struct {
	*goPackage
	file, in string
	mutants  *[]Mutant
}

func (f *finder) add(kind string, from, to token.Pos, replacement string) {
	start, end := f.fset.Position(from).Offset, f.fset.Position(to).Offset
	*f.mutants = append(*f.mutants, newMutant(f.file, f.src[f.file], f.in, kind, start, end, replacement))
}

// text returns the source of an expression.
func (f *finder) text(e ast.Expr) string {
	return string(f.src[f.file][f.fset.Position(e.Pos()).Offset:f.fset.Position(e.End()).Offset])
}

// basic returns what the type of an expression consists of, or nil.
func (f *finder) basic(e ast.Expr) *types.Basic {
	t := f.types[e].Type
	if t == nil {
		return nil
	}
	b, _ := t.Underlying().(*types.Basic)
	return b
}

var (
	comparisons = map[token.Token]string{
		token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">",
		token.EQL: "!=", token.NEQ: "==", token.LAND: "||", token.LOR: "&&",
	}
	operators = map[token.Token]string{
		token.ADD: "-", token.SUB: "+", token.MUL: "/", token.QUO: "*", token.REM: "/",
		token.SHL: ">>", token.SHR: "<<", token.AND: "|", token.OR: "&", token.XOR: "|", token.AND_NOT: "&",
	}
	assignments = map[token.Token]string{
		token.ADD_ASSIGN: "-=", token.SUB_ASSIGN: "+=", token.MUL_ASSIGN: "/=", token.QUO_ASSIGN: "*=",
		token.SHL_ASSIGN: ">>=", token.SHR_ASSIGN: "<<=", token.AND_ASSIGN: "|=", token.OR_ASSIGN: "&=",
	}
)

// visit adds the mutants of a node, and reports whether to look into it.
func (f *finder) visit(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.ArrayType:
		return false // another length holds as much
	case *ast.BasicLit:
		f.literal(n)
	case *ast.BinaryExpr:
		if b := f.basic(n); b != nil && b.Info()&types.IsString != 0 {
			return true
		}
		end := n.OpPos + token.Pos(len(n.Op.String()))
		if to, ok := comparisons[n.Op]; ok {
			f.add(kindComparison, n.OpPos, end, to)
		} else {
			f.add(kindOperator, n.OpPos, end, operators[n.Op])
		}
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			f.add(kindComparison, n.OpPos, n.X.Pos(), "")
		}
	case *ast.AssignStmt:
		if to, ok := assignments[n.Tok]; ok {
			f.add(kindOperator, n.TokPos, n.TokPos+token.Pos(len(n.Tok.String())), to)
		}
	case *ast.CallExpr:
		return f.call(n)
	}
	return true
}

// call adds the mutants of a call, and reports whether to look into it.
func (f *finder) call(n *ast.CallExpr) bool {
	name := f.text(n.Fun)
	switch {
	case name == "panic":
		return false // the wording of a message
	case name == "min":
		f.add(kindComparison, n.Fun.Pos(), n.Fun.End(), "max")
	case name == "max":
		f.add(kindComparison, n.Fun.Pos(), n.Fun.End(), "min")
	case name == "oddSum" && len(n.Args) == 2:
		f.add(kindRounding, n.Pos(), n.End(), fmt.Sprintf("((%s) + (%s))", f.text(n.Args[0]), f.text(n.Args[1])))
	case name == "fma32" && len(n.Args) == 3:
		f.separate(n, "float32")
	case (name == "fma64" || name == "multiplyAdd" || name == "math.FMA") && len(n.Args) == 3:
		f.separate(n, "float64")
	case name == "float64" && len(n.Args) == 1:
		f.widened(n)
	}
	return true
}

// separate rounds the product of a fused multiply-add.
func (f *finder) separate(n *ast.CallExpr, conversion string) {
	f.add(kindRounding, n.Pos(), n.End(), fmt.Sprintf("(%s((%s)*(%s)) + (%s))",
		conversion, f.text(n.Args[0]), f.text(n.Args[1]), f.text(n.Args[2])))
}

// widened drops the rounding to float32 in the conversion n of a float32 to float64.
func (f *finder) widened(n *ast.CallExpr) {
	inner, ok := n.Args[0].(*ast.CallExpr)
	if !ok || f.text(inner.Fun) != "float32" || len(inner.Args) != 1 {
		return
	}
	x := inner.Args[0]
	b := f.basic(x)
	if b == nil {
		return
	}
	if b.Kind() == types.Float64 {
		f.add(kindRounding, inner.Pos(), inner.End(), f.text(x))
	} else if op, ok := x.(*ast.BinaryExpr); ok && b.Kind() == types.Float32 {
		f.add(kindRounding, inner.Pos(), inner.End(), fmt.Sprintf("float64(%s) %s float64(%s)", f.text(op.X), op.Op, f.text(op.Y)))
	}
}

// literal changes a number by one unit in its last place.
func (f *finder) literal(n *ast.BasicLit) {
	switch n.Kind {
	case token.INT:
		if v, err := strconv.ParseUint(n.Value, 0, 64); err == nil {
			f.add(kindConstant, n.Pos(), n.End(), changedInteger(n.Value, v))
		}
	case token.FLOAT:
		v, err := strconv.ParseFloat(n.Value, 64)
		if err != nil {
			return
		}
		bits := 32
		if b := f.basic(n); b != nil && (b.Kind() == types.Float64 || b.Kind() == types.UntypedFloat && float64(float32(v)) != v) {
			bits = 64
		}
		f.add(kindConstant, n.Pos(), n.End(), changedFloat(v, bits))
	}
}

// changedInteger returns v + 1 in the base of text, or v - 1 if v is all ones.
func changedInteger(text string, v uint64) string {
	if v == math.MaxUint64 || v == math.MaxUint32 || v == math.MaxUint16 {
		v--
	} else {
		v++
	}
	if len(text) > 1 && (text[1] == 'x' || text[1] == 'X') {
		return fmt.Sprintf("%#x", v)
	}
	return strconv.FormatUint(v, 10)
}

// changedFloat returns the next float32 or float64 above v >= 0.
func changedFloat(v float64, bits int) string {
	if bits == 32 {
		return strconv.FormatFloat(float64(math.Float32frombits(math.Float32bits(float32(v))+1)), 'x', -1, 32)
	}
	return strconv.FormatFloat(math.Float64frombits(math.Float64bits(v)+1), 'x', -1, 64)
}
