module github.com/seed174f7dca/softmax/internal/asmcheck

go 1.25.0

require golang.org/x/arch v0.30.0
