/* Products of sets of few values: what ADMM-Q (Huang et al. 2020) minimises over. */
#ifndef ADMM_PRODUCT_H
#define ADMM_PRODUCT_H

#include "admm/ladder.h"
#include "base/error.h"

typedef struct admm_product admm_product;

/* By its name, for `dimension` coordinates, each with the same values:
 *     grid:D             every whole multiple of D
 *     grid:D:LOW:HIGH    those from LOW to HIGH
 *     binary             -1, 1
 *     ternary            -1, 0, 1
 *     power-of-two:A:B   0 and +-2^k for the whole numbers k from A to B
 *     levels:V,V,...     these, rising
 * or, with a scale a >= 0 for each group of G consecutive coordinates (all of them where
 * :G is left out), which the projection fits:
 *     scaled-binary:G    a {-1, 1}
 * ADMMNN_USAGE says what is wrong with the text; ADMMNN_MEMORY. */
admmnn_status admm_product_parse(const char *text, size_t dimension, admm_product **out,
                                 admmnn_error *err);
/* Lists of their own: those of coordinate i are levels[start[i]] to levels[start[i + 1]],
 * rising; start[dimension + 1]. Copied. */
admmnn_status admm_product_lists(const double *levels, const size_t *start, size_t dimension,
                                 admm_product **out, admmnn_error *err);
void admm_product_free(admm_product *product);

size_t admm_product_dimension(const admm_product *product);
/* Coordinates that are projected together: those with one scale, or 1. */
size_t admm_product_group(const admm_product *product);
/* Each coordinate's values; NULL where scales are fitted. */
const admm_ladder *admm_product_ladders(const admm_product *product);

/* z[dimension] = the nearest point to v[dimension]; z may be v. Of two values as near the
 * lower. */
void admm_product_project(const admm_product *product, const double *v, double *z);

#endif
