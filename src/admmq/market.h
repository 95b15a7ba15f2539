/* Matrix Market files (Boisvert, Pozo and Remington 1996, NISTIR 5935), symmetric sparse
 * matrices of them:
 *
 *   %%MatrixMarket matrix coordinate real symmetric    (or integer, or general)
 *   % comments
 *   ROWS COLUMNS ENTRIES
 *   ROW COLUMN VALUE      ENTRIES lines, places from 1; of symmetric ones each pair once */
#ifndef ADMMQ_MARKET_H
#define ADMMQ_MARKET_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* By rows, both triangles, columns rising. */
typedef struct market_matrix {
    size_t dimension;
    size_t *start;    /* [dimension + 1] */
    uint32_t *column; /* [start[dimension]] */
    double *value;
} market_matrix;

/* text ends in 0; name appears in errors. *matrix is the caller's, freed with market_free
 * also after a failure. ADMMNN_UNSUPPORTED: another kind of matrix; ADMMNN_CORRUPT with
 * the line; ADMMNN_MEMORY. */
admmnn_status market_parse(const char *name, const char *text, market_matrix *matrix,
                           admmnn_error *err);
void market_free(market_matrix *matrix);

#endif
