/* What every test of this floor includes. */
#ifndef TESTS_ADMMQ_SUPPORT_H
#define TESTS_ADMMQ_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "must.h"

#endif
