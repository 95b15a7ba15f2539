/* The break-even of layers, as it is measured and told. */
#ifndef HARDWARE_BREAK_EVEN_H
#define HARDWARE_BREAK_EVEN_H

#include "base/bytes.h"
#include "hardware/single_time.h"

/* Shares of weights kept, rising. */
#define BREAK_EVEN_SHARES 8
extern const double break_even_shares[BREAK_EVEN_SHARES];

/* One shape of a model. */
typedef struct break_even_shape {
    char name[GRAPH_NAME_MAX]; /* of the first layer that has it */
    uint32_t layers;           /* that have it */
    char what[96];             /* "conv 3x3, 64 x 56 x 56 to 64 x 56 x 56" */
    single_times times[BREAK_EVEN_SHARES];
    double kept[BREAK_EVEN_SHARES]; /* shares that were drawn */
    double equal;                   /* share kept at which both take the same time */
} break_even_shape;

/* How many times as fast as dense, by the least times. */
double break_even_ratio(const single_times *times);
/* The share kept, of count rising ones, at which the ratio falls through 1: between two shares its
 * logarithm is taken for a line in that of the share. 1 where it never does, 0 where it is below
 * from the first on. */
double break_even_find(const double *kept, const double *ratios, size_t count);

typedef struct break_even {
    char model[GRAPH_NAME_MAX]; /* the network's name */
    unsigned threads;
    break_even_shape *shapes;
    size_t count;
} break_even;

void break_even_write_json(const break_even *b, base_writer *out);
void break_even_write_table(const break_even *b, base_writer *out);

#endif
