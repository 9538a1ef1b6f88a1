package corpus

import (
	"math"
	"testing"
)

// TestULP compares the unit with the distance to the next larger number.
func TestULP(t *testing.T) {
	for _, x := range []float32{0, 0x1p-149, 0x1p-127, 0x1.8p-126, 0.1, 1, 1.5, 2, 12345, 0x1p+126} {
		next := math.Nextafter32(x, math.MaxFloat32)
		if got, want := ULP[float32](float64(x)), float64(next)-float64(x); got != want {
			t.Errorf("float32: ULP(%g) = %g, want %g", x, got, want)
		}
	}
	for _, x := range []float64{0, 0x1p-1074, 0x1p-1023, 0x1.8p-1022, 0.1, 1, 1.5, 2, 12345, 0x1p+1022} {
		next := math.Nextafter(x, math.MaxFloat64)
		if got, want := ULP[float64](x), next-x; got != want {
			t.Errorf("float64: ULP(%g) = %g, want %g", x, got, want)
		}
	}
}
