/* A file of networks with what becomes of an input, for a processor that the tests do not run on:
 * of each a head, the packed file, floats of the input, and floats that the output is to be. Both
 * programs write numbers of the same sizes, lowest byte first. */
#ifndef TESTS_RUNTIME_AARCH64_CASE_H
#define TESTS_RUNTIME_AARCH64_CASE_H

#include <stdint.h>

typedef struct case_head {
    char name[32];
    uint32_t bytes, inputs, outputs;
    uint32_t activations; /* bits of the values between layers */
    uint32_t threads;     /* that are to make the same bytes */
    float bound;          /* the largest difference over the largest output */
} case_head;

#endif
