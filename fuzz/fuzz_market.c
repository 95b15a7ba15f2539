/* Matrix Market files: what is accepted is a sparse matrix by rows. */
#include <stdlib.h>
#include <string.h>

#include "admmq/market.h"
#include "base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const market_matrix *m) {
    for (size_t r = 0; r < m->dimension; r++) {
        if (m->start[r + 1] < m->start[r])
            abort();
        for (size_t k = m->start[r]; k < m->start[r + 1]; k++)
            if (m->column[k] >= m->dimension ||
                (k > m->start[r] && m->column[k] <= m->column[k - 1]) ||
                !(m->value[k] - m->value[k] == 0))
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    market_matrix m;
    char *text = base_array(size + 1, 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    if (market_parse("fuzz", text, &m, NULL) == ADMMNN_OK)
        check(&m);
    market_free(&m);
    base_free(text);
    return 0;
}
