// FLUSH keeps the control register in the place mxcsr, and lets subnormal numbers count as 0,
// by way of the place flushing, until RESTORE. It uses AX.
#define FLUSH(mxcsr, flushing) \
	STMXCSR mxcsr \
	MOVL mxcsr, AX \
	ORL $0x8040, AX \
	MOVL AX, flushing \
	LDMXCSR flushing
#define RESTORE(mxcsr) LDMXCSR mxcsr
