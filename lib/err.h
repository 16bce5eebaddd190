/* The error codes that control code returns. */
#ifndef LIB_ERR_H
#define LIB_ERR_H

enum err {
	ERR_OK = 0,
	ERR_INVALID,   /* an argument or input is malformed */
	ERR_NOT_FOUND, /* no such thing */
	ERR_EXISTS,    /* it is there already */
	ERR_FULL,      /* a table or queue has no room */
	ERR_NO_MEMORY, /* the boot arena is exhausted */
};

#define MUST_CHECK __attribute__((warn_unused_result))

#endif
