module github.com/seed174f7dca/softmax/internal/mutate

go 1.25.0
