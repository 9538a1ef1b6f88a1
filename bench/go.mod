module github.com/seed174f7dca/softmax/bench

go 1.25.0

require (
	github.com/ALTree/bigfloat v0.0.0-20220102081255-38c8b72a9924
	github.com/seed174f7dca/softmax v0.0.0
	github.com/viterin/vek v0.4.3
	github.com/yalue/onnxruntime_go v1.27.0
	gonum.org/v1/gonum v0.17.0
	google.golang.org/protobuf v1.36.11
)

require (
	// Of vek, which asks for 1.10.1: that does not compile on riscv64.
	github.com/chewxy/math32 v1.11.1 // indirect
	github.com/klauspost/cpuid/v2 v2.4.2 // indirect
	github.com/viterin/partial v1.1.0 // indirect
	golang.org/x/exp v0.0.0-20230817173708-d852ddb80c63 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace github.com/seed174f7dca/softmax => ..
