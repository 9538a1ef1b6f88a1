package main

// This file draws reports.

import (
	"bytes"
	"cmp"
	"fmt"
	"image/color"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/cpuid/v2"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// checkPlotName returns an error if name is neither empty nor that of a picture.
func checkPlotName(name string) error {
	switch ext := filepath.Ext(name); {
	case name == "", ext == ".svg", ext == ".png":
		return nil
	default:
		return fmt.Errorf("--plot: %s, expected a name that ends with .svg or .png", name)
	}
}

// Sizes of a picture.
const (
	panelWidth   = 560 * vg.Inch / 72
	panelHeight  = 380 * vg.Inch / 72
	legendWidth  = 270 * vg.Inch / 72
	titleHeight  = 44 * vg.Inch / 72
	pictureSpace = 10 * vg.Inch / 72 // around all
	pngDPI       = 144
)

// palette is that of M. Okabe and K. Ito, "Color Universal Design" (2008), which most
// people who are colour-blind can tell apart, without its yellow.
var palette = []color.Color{
	color.RGBA{0x00, 0x72, 0xb2, 0xff}, color.RGBA{0xd5, 0x5e, 0x00, 0xff}, color.RGBA{0x00, 0x9e, 0x73, 0xff},
	color.RGBA{0xcc, 0x79, 0xa7, 0xff}, color.RGBA{0xe6, 0x9f, 0x00, 0xff}, color.RGBA{0x56, 0xb4, 0xe9, 0xff},
}

var (
	inkColor   = color.Gray{0x20}
	copyColor  = color.Gray{0x70}
	cacheColor = color.Gray{0xa0}
	gridColor  = color.Gray{0xe4}
)

// dashes and glyphs are for kernels in the order of kernelNames, so that colour is not
// all that tells lines apart.
var (
	dashes = [][]vg.Length{nil, {7, 3}, {2, 2}, {9, 3, 2, 3}}
	glyphs = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.PyramidGlyph{}}
)

// panelKey is what the lines of a panel have in common.
type panelKey struct {
	op, dtype, family string
	rows              int
}

func (k panelKey) String() string {
	s := k.op + ", " + k.dtype
	if k.family != "normal3" {
		s += ", " + k.family
	}
	if k.rows > 1 {
		s += fmt.Sprintf(", %d rows", k.rows)
	}
	return s
}

func (t *timing) panel() panelKey { return panelKey{t.Op, t.Dtype, t.Family, t.Rows} }

// writePlot draws reports to the file called name.
func writePlot(name string, reports []*report) error {
	return writeWhole(name, func(out io.Writer) error { return drawReports(out, filepath.Ext(name), reports) })
}

// drawReports draws reports, a panel for each operation and element type, as .svg or
// .png. The background is opaque, so that it can be read on a dark page too.
func drawReports(out io.Writer, ext string, reports []*report) error {
	var keys []panelKey
	for _, r := range reports {
		for _, t := range r.Timings {
			if !slices.Contains(keys, t.panel()) {
				keys = append(keys, t.panel())
			}
		}
	}
	columns := 1
	if len(keys) > 1 {
		columns = 2
	}
	rows := (len(keys) + columns - 1) / columns
	width := panelWidth*vg.Length(columns) + legendWidth + 2*pictureSpace
	height := panelHeight*vg.Length(rows) + titleHeight + 2*pictureSpace
	canvas, write := newCanvas(ext, width, height)

	all := draw.New(canvas)
	all.SetColor(color.White)
	all.Fill(all.Rectangle.Path())
	all = draw.Crop(all, pictureSpace, -pictureSpace, pictureSpace, -pictureSpace)
	top := vg.Point{X: all.Min.X, Y: all.Max.Y}
	all.FillText(textStyle(14, draw.XLeft, draw.YTop), top, "softmax: time per element over the length of a row")
	if len(reports) == 1 {
		all.FillText(textStyle(11, draw.XLeft, draw.YTop), top.Sub(vg.Point{Y: 19}), reports[0].title())
	}
	body := draw.Crop(all, 0, 0, 0, -titleHeight)

	var names legend
	if len(reports) > 1 {
		for i, r := range reports {
			names.add(fmt.Sprintf("[%d] %s,\n%s/%s, %s", i+1, r.Machine.CPU, r.Machine.OS, r.Machine.Arch, r.Date.Format(time.DateOnly)))
		}
	}
	tiles := draw.Tiles{Rows: rows, Cols: columns, PadX: 16, PadY: 16}
	panels := draw.Crop(body, 0, -legendWidth, 0, 0)
	for i, key := range keys {
		p, err := drawPanel(key, reports, &names)
		if err != nil {
			return err
		}
		p.Draw(tiles.At(panels, i%columns, i/columns))
	}
	names.draw(draw.Crop(body, body.Max.X-body.Min.X-legendWidth+16, 0, 0, -24))
	return write(out)
}

// newCanvas returns an empty picture and a function that writes it.
func newCanvas(ext string, width, height vg.Length) (vg.CanvasSizer, func(io.Writer) error) {
	if ext == ".png" {
		c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(pngDPI))}
		return c, func(out io.Writer) error {
			_, err := c.WriteTo(out)
			return err
		}
	}
	c := vgsvg.New(width, height)
	return c, func(out io.Writer) error {
		var svg bytes.Buffer
		if _, err := c.WriteTo(&svg); err != nil {
			return err
		}
		// The font has the widths of Arial and Helvetica, which readers have.
		_, err := io.WriteString(out, strings.ReplaceAll(svg.String(),
			"font-family:Liberation Sans", "font-family:Liberation Sans,Arial,Helvetica,sans-serif"))
		return err
	}
}

func textStyle(size vg.Length, x draw.XAlignment, y draw.YAlignment) text.Style {
	return text.Style{Color: inkColor, Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		XAlign: x, YAlign: y, Handler: plot.DefaultTextHandler}
}

// legend says what lines are, each once. That of the library has no names of several lines.
type legend []legendEntry

type legendEntry struct {
	name   string
	thumbs []plot.Thumbnailer
}

func (l *legend) add(name string, thumbs ...plot.Thumbnailer) {
	if !slices.ContainsFunc(*l, func(e legendEntry) bool { return e.name == name }) {
		*l = append(*l, legendEntry{name, thumbs})
	}
}

// draw draws the legend from the top of a canvas on.
func (l *legend) draw(c draw.Canvas) {
	const lineHeight, space, thumbWidth = 13, 6, 32
	style := textStyle(10, draw.XLeft, draw.YTop)
	y := c.Max.Y
	for _, e := range *l {
		thumb := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: c.Min.X, Y: y - lineHeight}, Max: vg.Point{X: c.Min.X + thumbWidth, Y: y}}}
		x := c.Min.X
		for _, t := range e.thumbs {
			t.Thumbnail(&thumb)
			x = thumb.Max.X + space
		}
		for line := range strings.SplitSeq(e.name, "\n") {
			c.FillText(style, vg.Point{X: x, Y: y}, line)
			y -= lineHeight
		}
		y -= space
	}
}

// drawPanel returns the panel for key.
func drawPanel(key panelKey, reports []*report, names *legend) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = key.String()
	p.Title.TextStyle = textStyle(12, draw.XCenter, draw.YTop)
	p.Title.Padding = 4
	p.X.Label.Text, p.Y.Label.Text = "elements in a row", "ns per element"
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Scale = plot.LogScale{}
		axis.Label.TextStyle = textStyle(11, draw.XCenter, draw.YCenter)
		axis.Color, axis.Tick.Color = inkColor, inkColor
		axis.Tick.Label = textStyle(10, draw.XCenter, draw.YTop)
	}
	p.X.Label.TextStyle.YAlign = draw.YBottom
	p.Y.Label.TextStyle.YAlign = draw.YBottom
	p.Y.Tick.Label.XAlign, p.Y.Tick.Label.YAlign = draw.XRight, draw.YCenter
	p.X.Tick.Marker, p.Y.Tick.Marker = lengthTicks{}, timeTicks{}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = gridColor, gridColor
	p.Add(grid)

	var low, high, shortest, longest = math.Inf(1), 0.0, math.MaxInt, 1
	for i, r := range reports {
		for _, kernel := range append(slices.Clone(kernelNames), opCopy) {
			if kernel == opCopy && len(reports) > 1 {
				continue // what limits one machine would be too much for several
			}
			var points intervals
			for _, t := range r.Timings {
				if t.panel() == key && t.Kernel == kernel {
					s := t.perElement()
					points = append(points, interval{float64(t.N), s.Center, s.Lo, s.Hi})
					low, high = min(low, s.Center), max(high, s.Center)
					shortest, longest = min(shortest, t.N), max(longest, t.N)
				}
			}
			if points == nil {
				continue
			}
			slices.SortFunc(points, func(a, b interval) int { return cmp.Compare(a.n, b.n) })
			if err := drawKernel(p, i, kernel, points, reports, names); err != nil {
				return nil, err
			}
		}
	}
	if len(reports) == 1 {
		for _, kernel := range reports[0].kernels() {
			limit, says := reports[0].portLimit(key, kernel)
			if limit == 0 {
				continue
			}
			line, err := plotter.NewLine(plotter.XYs{{X: float64(shortest), Y: limit}, {X: float64(longest), Y: limit}})
			if err != nil {
				return nil, err
			}
			line.Color, line.Width, line.Dashes = colorOf(0, kernel, 1), 0.8, []vg.Length{1, 2}
			p.Add(line)
			names.add(kernel+says, line)
			low = min(low, limit)
		}
	}
	p.X.Min, p.X.Max = float64(shortest)/1.3, float64(longest)*1.3
	p.Y.Min, p.Y.Max = low/1.3, high*2.2 // room for the names of caches
	if len(reports) == 1 {
		return p, drawCaches(p, reports[0].Machine, key, names)
	}
	return p, nil
}

// interval is a median with its confidence interval at a length.
type interval struct{ n, median, low, high float64 }

type intervals []interval

func (v intervals) Len() int                { return len(v) }
func (v intervals) XY(i int) (x, y float64) { return v[i].n, v[i].median }
func (v intervals) YError(i int) (a, b float64) {
	return v[i].median - v[i].low, v[i].high - v[i].median
}

// drawKernel draws the line of a kernel.
func drawKernel(p *plot.Plot, i int, kernel string, points intervals, reports []*report, names *legend) error {
	line, marks, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	line.Color, line.Width = colorOf(i, kernel, len(reports)), 1.6
	marks.Color, marks.Radius = line.Color, 2.2
	if kernel == opCopy {
		line.Width, line.Dashes = 1.1, []vg.Length{8, 3, 2, 3, 2, 3}
		p.Add(line)
		names.add(nameOf(i, kernel, len(reports))+": copying logits to results, the limit\nof caches and memory", line)
		return nil
	}
	k := slices.Index(kernelNames, kernel)
	line.Dashes, marks.Shape = dashes[k], glyphs[k]
	finite := slices.DeleteFunc(slices.Clone(points), func(v interval) bool { return math.IsInf(v.low, 0) || math.IsInf(v.high, 0) })
	if len(finite) > 0 {
		bars, err := plotter.NewYErrorBars(finite)
		if err != nil {
			return err
		}
		bars.Color, bars.CapWidth = line.Color, 4
		p.Add(bars)
	}
	p.Add(line, marks)
	names.add(nameOf(i, kernel, len(reports)), line, marks)
	return nil
}

// colorOf returns the colour of a line: that of its kernel, or that of its report where
// there are several.
func colorOf(i int, kernel string, reports int) color.Color {
	switch {
	case reports > 1:
		return palette[i%len(palette)]
	case kernel == opCopy:
		return copyColor
	}
	return palette[slices.Index(kernelNames, kernel)]
}

func nameOf(i int, kernel string, reports int) string {
	if reports > 1 {
		return fmt.Sprintf("[%d] %s", i+1, kernel)
	}
	return kernel
}

// vectorOperations are how many arithmetic operations on vectors a kernel has for each
// vector of logits, without loads, stores and copies: the maximum, the exponential with its
// sum, and the multiplication by a factor of two parts, or for log-softmax two
// subtractions. They were counted in the loops of the compiled package, for long rows.
var vectorOperations = map[string]map[string]float64{
	float32Type.name: {"avx512": 1 + 15.5 + 2, "avx2": 1 + 16 + 2, "neon": 1 + 17.5 + 2},
	float64Type.name: {"avx512": 1 + 19 + 2, "avx2": 1 + 23.5 + 2, "neon": 1 + 21.5 + 2},
}

// vectorBytes is the size of a vector.
var vectorBytes = map[string]float64{"avx512": 64, "avx2": 32, "neon": 16}

// vectorPorts returns how many arithmetic operations on vectors a core starts in a cycle,
// at most: of 512 bits two on Intel's and four on AMD's since Zen 5, of 256 bits three and
// four. Cores with NEON differ from two to four.
//
// Source: A. Fog, "The microarchitecture of Intel, AMD and VIA CPUs".
func (m machineInfo) vectorPorts(kernel string) float64 {
	const zen5 = 0x1a
	switch {
	case kernel == "avx512" && !(m.Vendor == cpuid.AMD.String() && m.Family >= zen5):
		return 2
	case kernel == "avx2" && m.Vendor == cpuid.Intel.String():
		return 3
	}
	return 4
}

// portLimit returns the nanoseconds for an element that the execution ports allow, and
// what that assumes, or 0 where no limit is known.
func (r *report) portLimit(key panelKey, kernel string) (nanoseconds float64, says string) {
	operations := vectorOperations[key.dtype][kernel]
	if operations == 0 {
		return 0, ""
	}
	if key.op == opLogSumExp {
		operations -= 2
	}
	lanes, ports := vectorBytes[kernel]/elementBytes(key.dtype), r.Machine.vectorPorts(kernel)
	return operations / lanes / ports / r.clock(), fmt.Sprintf(
		": limit of execution ports,\n%g vectors a cycle at %.2f GHz", ports, r.clock())
}

// drawCaches marks the lengths at which logits and results fill a cache.
func drawCaches(p *plot.Plot, m machineInfo, key panelKey, names *legend) error {
	t := timing{Op: key.op, Dtype: key.dtype}
	for _, cache := range []struct {
		name string
		size int
	}{{"L1", m.L1}, {"L2", m.L2}, {"L3", m.L3}} {
		n := float64(cache.size) / t.bytesPerElement() / float64(key.rows)
		if n <= p.X.Min || n >= p.X.Max {
			continue
		}
		line, err := plotter.NewLine(plotter.XYs{{X: n, Y: p.Y.Min}, {X: n, Y: p.Y.Max}})
		if err != nil {
			return err
		}
		line.Color, line.Width, line.Dashes = cacheColor, 1, []vg.Length{4, 4}
		labels, err := plotter.NewLabels(plotter.XYLabels{
			XYs:    plotter.XYs{{X: n, Y: p.Y.Max}},
			Labels: []string{cache.name + ", " + byteSize(cache.size)},
		})
		if err != nil {
			return err
		}
		labels.TextStyle[0] = textStyle(9, draw.XRight, draw.YTop)
		labels.Offset = vg.Point{X: -5, Y: -3}
		p.Add(line, labels)
		names.add("what a row reads and writes fills a cache", line)
	}
	return nil
}

// byteSize returns a number of bytes for people.
func byteSize(n int) string {
	if n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// lengthTicks are powers of 8, or of 2 where they are few.
type lengthTicks struct{}

// Ticks implements plot.Ticker.
func (lengthTicks) Ticks(low, high float64) (ticks []plot.Tick) {
	step := 3
	if high/low < 256 {
		step = 1
	}
	for e := 0; e < 40; e++ {
		n := 1 << e
		if x := float64(n); x < low || x > high {
			continue
		}
		label := ""
		switch {
		case e%step != 0:
		case n < 1<<10:
			label = strconv.Itoa(n)
		case n < 1<<20:
			label = fmt.Sprintf("%dKi", n>>10)
		default:
			label = fmt.Sprintf("%dMi", n>>20)
		}
		ticks = append(ticks, plot.Tick{Value: float64(n), Label: label})
	}
	return ticks
}

// timeTicks are 1, 2 and 5 times powers of 10.
type timeTicks struct{}

// Ticks implements plot.Ticker.
func (timeTicks) Ticks(low, high float64) (ticks []plot.Tick) {
	for e := math.Floor(math.Log10(low)); e <= math.Log10(high); e++ {
		for _, digit := range []float64{1, 2, 5} {
			if x := digit * math.Pow(10, e); x >= low && x <= high {
				ticks = append(ticks, plot.Tick{Value: x, Label: strconv.FormatFloat(x, 'g', 3, 64)})
			}
		}
	}
	return ticks
}
