// Command kernel prints the kernel in use, for .ci/run.
package main

import (
	"fmt"

	"github.com/seed174f7dca/softmax"
)

func main() { fmt.Println(softmax.Kernel()) }
