/* The parameters in the file: their descriptions, positions and values. */
#ifndef RT_TENSOR_H
#define RT_TENSOR_H

#include "coder.h"
#include "network.h"

/* Where the parts of all parameters are read from, one after another. */
typedef struct rt_sources {
    rt_opening *opening;
    rt_bits plain;
    rt_coder range;
} rt_sources;

/* M: codes run from -M to M. */
uint32_t rt_level_count(const rt_tensor *tensor);
bool rt_level_zero(const rt_tensor *tensor);
float rt_level_value(const rt_tensor *tensor, int32_t code);

/* CORRUPT where it makes no sense. half_step: intervals take two bytes. */
admmnn_runtime_status rt_tensor_describe(rt_opening *opening, rt_reader *in, bool half_step,
                                         rt_tensor *tensor);

admmnn_runtime_status rt_sources_corrupt(const rt_sources *from, const char *reason);
admmnn_runtime_status rt_sources_memory(const rt_sources *from);

/* ---- positions.c ---- */

/* Which places of a matrix have a value, by row. all: every one, and there is no list. */
typedef struct rt_positions {
    bool all, wide;   /* wide: uint32_t columns, else uint16_t */
    uint32_t *starts; /* [rows + 1] into the list */
    void *columns;    /* [kept + RT_WORDS_SLACK] */
    size_t kept;
} rt_positions;

/* Takes starts and columns; wide is set. */
admmnn_runtime_status rt_positions_read(rt_sources *from, const rt_tensor *tensor,
                                        rt_positions *positions);

static inline uint32_t rt_column(const rt_positions *p, size_t i) {
    return p->wide ? ((const uint32_t *)p->columns)[i] : ((const uint16_t *)p->columns)[i];
}

/* ---- values.c ---- */

typedef struct rt_values_model rt_values_model;

/* The values of a parameter, in the order of its places. */
typedef struct rt_values {
    rt_sources *from;
    const rt_tensor *tensor;
    uint32_t levels, symbols;
    bool zero; /* zero is among the codes */
    struct rt_huffman *code;
    rt_values_model *model; /* of the range coder */
    uint32_t row;
    int32_t left; /* the last code in the row */
} rt_values;

/* Takes scratch. */
admmnn_runtime_status rt_values_start(rt_values *v, rt_sources *from, const rt_tensor *tensor);
/* The next value, which stands there: *value, and of levels *code. */
admmnn_runtime_status rt_values_next(rt_values *v, uint32_t row, uint32_t column, int32_t *code,
                                     float *value);

#endif
