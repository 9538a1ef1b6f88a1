// What functions do about threads that flush subnormal numbers.

// GRADUAL has the processor keep subnormal numbers, whatever the thread's mode, which
// RESTORE restores. The mode is in R23, which nothing else uses, and its bit 24 is FZ.
#define GRADUAL \
	MOVD FPCR, R23 \
	TBZ $24, R23, 3(PC) \
	BIC $(1<<24), R23, R24 \
	MOVD R24, FPCR
#define RESTORE \
	TBZ $24, R23, 2(PC) \
	MOVD R23, FPCR
