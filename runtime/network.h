/* The network as it is run: values in the order in which they are made, each with the operation
 * that makes it. All arrays lie in the model's memory. */
#ifndef RT_NETWORK_H
#define RT_NETWORK_H

#include <stdbool.h>

#include "fail.h"
#include "memory.h"
#include "pack/format.h"

/* Of one sample; dims beyond the rank are 0. */
typedef struct rt_shape {
    uint32_t rank;
    uint32_t dims[PACK_RANK_MAX];
} rt_shape;

/* Any shape as an image: rank 2 is channels of one row, rank 1 channels of one pixel. */
uint32_t rt_shape_channels(const rt_shape *s);
uint32_t rt_shape_height(const rt_shape *s);
uint32_t rt_shape_width(const rt_shape *s);
/* The product of the dims from axis `first` to before `last`; of sound shapes it fits. */
size_t rt_shape_extent(const rt_shape *s, uint32_t first, uint32_t last);
size_t rt_shape_count(const rt_shape *s);
bool rt_shape_equal(const rt_shape *a, const rt_shape *b);
/* No dim is 0 or too large, nor is their product. */
bool rt_shape_is_sound(const rt_shape *s);
/* Which element of a tensor of shape `from` stands at element i of `to`, to which it is
 * broadcast. */
size_t rt_broadcast(const rt_shape *to, const rt_shape *from, size_t i);
/* NumPy's rule; false where the shapes do not fit. */
bool rt_shape_broadcast(const rt_shape *a, const rt_shape *b, rt_shape *out);

/* How the numbers of a value lie in the workspace: as floats, or as bytes b that stand for
 * (b - zero) * scale. */
typedef struct rt_numbers {
    bool coded;
    uint8_t zero;
    float scale;
} rt_numbers;

/* ---- weights ---- */

/* Words behind a list's last that a vector of words may have, which are not used. */
#define RT_WORDS_SLACK 16U
/* Rows that run together where they share places. */
#define RT_BAND_ROWS 4U

/* How weights are kept. */
typedef enum rt_form {
    RT_LIST,   /* by row: places, and a value for each */
    RT_WORDS,  /* by row: a word for each place and its value */
    RT_JAGGED, /* words, by as many rows as vectors have lanes: the first of each, the second of
                  each */
    RT_BANDS,  /* by RT_BAND_ROWS rows: the places of all, and a value of each row for each */
    RT_DENSE   /* by row: a value for every column */
} rt_form;

/* A matrix of weights on what is kept of them, rows x columns.
 *
 * A list's places tell where a weight's input stands: a convolution's and a matmul's in the
 * panel (tiling.h), others' by its column. Values are symbols, one byte each, of which
 * table[symbol] is the value; or floats. Values of bands and dense ones are codes of one byte, c of
 * which stands for c * step, 0 for a weight that is not there; or floats.
 *
 * A word of an inner product has its symbol in the lowest symbol_bits bits, above them its column
 * less the first of its part, of which each has as many columns as the rest of the bits can tell.
 *
 * Jagged rows, of one part, are in the order of how many words they have, the most first: row
 * order[i] has starts[i + 1] - starts[i] of them. A slice is as many rows as the kernels have
 * lanes; its words begin at the start of its first row: the first word of each, then the second of
 * each that has one.
 *
 * A row's result is sum * scale[row] + bias[row], held within low and high; scale NULL: 1, bias
 * NULL: 0. coded: its integer part is the code that is kept. */
typedef struct rt_layer {
    uint32_t rows, columns;
    rt_form form;
    bool wide_places;  /* uint32_t places, else uint16_t */
    bool float_values; /* floats, else symbols or codes */
    uint32_t kept;     /* places in the list, or in those of all bands */
    uint32_t parts;    /* of the rows' lists, by channels of the input, or by columns of words */
    uint32_t *starts;  /* [parts * rows + 1] into the list: all rows, or bands, of a part, then the
                          next; of words all parts of a row */
    uint32_t *order;   /* [rows], of jagged ones */
    void *places;      /* [kept], of words and RT_WORDS_SLACK more */
    void *values; /* [kept], of bands [kept][RT_BAND_ROWS], dense [rows * columns]; NULL: words */
    float *table, step;
    uint32_t symbol_bits;      /* of which the table has all values */
    const float *scale, *bias; /* [rows] */
    float low, high;
    bool coded;
} rt_layer;

/* A parameter, in the order of the file. floats: its dense values, where it is no layer's
 * weights; layer: those. */
typedef struct rt_tensor {
    struct rt_tensor *next;
    uint32_t rows, columns, block, width; /* as pack/positions.h has them */
    uint8_t kind;                         /* PACK_PARAMETER_ */
    bool taken;                           /* a matmul has it as its weights */
    /* What the file tells of it. */
    bool levels, ordered;
    uint8_t level_kind, bits, places, index_width, symbols;
    float step;
    uint32_t user; /* the value that is made with these weights; 0: none */
    uint64_t kept; /* weights that are not 0 */
    float *floats; /* [rows * columns] */
    rt_layer *layer;
} rt_tensor;

/* ---- operations ---- */

/* Of a convolution or pooling: {vertical, horizontal}. */
typedef struct rt_window {
    uint32_t kernel[2], stride[2], pad[2], pad_end[2], dilation[2];
} rt_window;

struct rt_kernels;

/* Of a layer of planes (tiling.h); in floats where nothing else is said. */
typedef struct rt_tiling {
    const struct rt_kernels *kernels;
    const rt_window *window;
    uint32_t in[2], out[2]; /* height and width */
    size_t columns, rows;   /* of a tile, of the largest */
    size_t vectors;         /* of each of its rows, or of `fold` of them */
    size_t fold;            /* 2: a vector has two short rows of outputs, in a half each; or 1 */
    size_t strips, tiles;   /* tiles across and down */
    size_t lines;           /* rows of input a tile reads, of each remainder by the stride; folded:
                               of even ones, or of odd ones, with the next of each */
    size_t copy, channel;   /* of one column of the kernel, and of all */
    uint32_t channels;      /* of a part */
    size_t unit;            /* 2: tiles begin and end between windows of 2 x 2; or 1 */
    bool pools;             /* the largest of each such window is stored, nothing else; of unit 2 */
} rt_tiling;

typedef struct rt_conv {
    rt_window window;
    uint32_t groups, output_pad[2];
} rt_conv;

typedef struct rt_pool {
    rt_window window;
    bool ceil, counts_padding;
} rt_pool;

typedef struct rt_normalization {
    rt_tensor *scale, *shift, *mean, *variance;
    float epsilon;
    uint32_t axis;
} rt_normalization;

typedef struct rt_lrn {
    uint32_t size;
    float alpha, beta, bias;
} rt_lrn;

typedef struct rt_unary {
    uint32_t kind;
    float a, b;
} rt_unary;

typedef struct rt_reduce {
    uint32_t kind, axes; /* bit i: axis i */
    bool keeps;
} rt_reduce;

typedef struct rt_slice {
    uint32_t first[PACK_RANK_MAX], count[PACK_RANK_MAX];
    int32_t step[PACK_RANK_MAX];
} rt_slice;

typedef struct rt_pad {
    uint32_t kind;
    float value;
    uint32_t begin[PACK_RANK_MAX], end[PACK_RANK_MAX];
} rt_pad;

typedef struct rt_resize {
    uint32_t mode, place;
    float scale[PACK_RANK_MAX];
    uint32_t size[PACK_RANK_MAX];
} rt_resize;

typedef struct rt_node {
    uint32_t op; /* PACK_OP_ */
    uint32_t operand_count;
    uint32_t *operands;       /* values */
    rt_tensor *weight, *bias; /* or NULL; weight also of a matmul, among whose operands it is */
    bool needed;              /* the output depends on it */
    bool linear;              /* a matmul whose weights are a layer */
    bool folded;              /* it is done by what makes its operand; nothing is run */
    bool may_pool;            /* a convolution's tiles may: a pooling of 2 x 2 alone reads what it
                                 makes, or what a layer does itself between them */
    bool tiled;               /* it runs by tiles, by those below; else it is inner products */
    rt_tiling tiling;
    size_t temporary; /* place of its working memory in the workspace, in floats */
    union {
        rt_conv conv;
        rt_pool pool;
        rt_normalization normalization;
        rt_lrn lrn;
        rt_unary unary;
        uint32_t binary;
        rt_reduce reduce;
        uint32_t axis;
        rt_slice slice;
        rt_pad pad;
        uint32_t order[PACK_RANK_MAX];
        rt_resize resize;
    } as;
} rt_node;

/* Where a value lies that is no constant: the caller's sample and result are used as they are. */
typedef enum rt_home { RT_IN_WORKSPACE, RT_IN_INPUT, RT_IN_OUTPUT } rt_home;

typedef struct rt_value {
    rt_shape shape;     /* of a convolution whose tiles pool, that of what is stored */
    rt_node *node;      /* NULL: the input, a constant or a parameter */
    const float *data;  /* of a constant or a parameter's; else NULL */
    uint32_t index_dim; /* of a constant: the least dim of an axis that its floats are indices
                           of; 0: of none */
    rt_tensor *tensor;  /* or NULL */
    bool fixed;         /* a constant or a parameter */
    uint16_t range;     /* of 8 bits, as the file has it; 0: none */
    rt_numbers numbers; /* the input's and the output's are floats, as they are the caller's */
    rt_home home;
    size_t place; /* of its numbers in the workspace, in floats */
} rt_value;

struct rt_crew;

typedef struct rt_network {
    char name[PACK_NAME_MAX];
    float mean[3], scale[3];
    uint32_t value_count, output; /* value 0 is the input */
    rt_value *values;
    rt_tensor *tensors; /* the first */
    const struct rt_kernels *kernels;
    bool coded;           /* values are in 8 bits where they can be */
    uint32_t kept, codes; /* values in the workspace, and those of them in 8 bits */
    unsigned threads;
    struct rt_crew *crew; /* NULL: of one */
    size_t workspace;     /* floats */
} rt_network;

/* What opening a model passes on. */
typedef struct rt_opening {
    rt_memory *memory;
    rt_network *network;
    admmnn_runtime_weights weights;
    admmnn_runtime_error *err;
} rt_opening;

#endif
