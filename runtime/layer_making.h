/* A layer as it is made: what the files of layer_*.c share, and no others read.
 *
 * The weights come from the file row by row, with the list of their places or, where every place
 * has one, all of them. Forms of few weights are made of that list as it is read; others, and a
 * matmul's, which the file has turned, of the whole matrix. */
#ifndef RT_LAYER_MAKING_H
#define RT_LAYER_MAKING_H

#include "kernels.h"
#include "tensor.h"

typedef struct rt_making {
    rt_sources *from;
    rt_tensor *tensor;
    rt_layer *layer;
    bool turned; /* rows of the layer are columns of the parameter */
} rt_making;

/* The node that runs the layer. */
static inline rt_node *rt_making_user(const rt_making *m) {
    return m->from->opening->network->values[m->tensor->user].node;
}

static inline size_t rt_smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* ---- layer_cells.c: a list, which is a row's or a band's, by its parts: cells ---- */

/* Into how many, of a list of so many weights. */
void rt_cut_rows(rt_making *m, size_t kept);
/* Which part of which list. */
size_t rt_cell_of(const rt_making *m, size_t list, uint32_t column);

/* Every weight, or place of a band, is first counted, from one list to the next, then put at the
 * place that is taken for it: so take, count each, end, put each, end. */
admmnn_runtime_status rt_take_cells(rt_making *m);
void rt_count_place(rt_making *m, size_t list, uint32_t column);
void rt_end_count(rt_making *m);
size_t rt_take_place(rt_making *m, size_t list, uint32_t column);
void rt_end_places(rt_making *m);

/* Where a column's input stands, and its putting as place i of the layer's. */
size_t rt_place_of(const rt_making *m, uint32_t column);
void rt_put_place(rt_making *m, size_t i, uint32_t column);

/* Of the file's list, in scratch, where what is read is another place than what is written. */
admmnn_runtime_status rt_copy_columns(rt_making *m, rt_positions *p);
admmnn_runtime_status rt_copy_starts(rt_making *m, rt_positions *p);

/* ---- layer_matrix.c: the whole matrix, and dense layers ---- */

/* Codes, where lists have symbols, or floats: [rows][columns] of the parameter. */
typedef struct rt_matrix {
    int16_t *codes;
    float *floats;
} rt_matrix;

/* Weights of a row, or of all rows, of which m->tensor->kept becomes the number. */
admmnn_runtime_status rt_read_row(rt_making *m, rt_values *values, const rt_positions *p,
                                  uint32_t row, rt_matrix *to);
/* Takes scratch. */
admmnn_runtime_status rt_read_matrix(rt_making *m, const rt_positions *p, rt_matrix *to);
/* Which of them stands at a row and a column of the layer, and whether it is not zero. */
size_t rt_element_of(const rt_making *m, size_t row, size_t column);
bool rt_is_there(const rt_making *m, const rt_matrix *from, size_t i);

admmnn_runtime_status rt_dense_of_matrix(rt_making *m, const rt_matrix *from);

/* ---- layer_list.c: lists and words ---- */

/* Whether a list's values can be symbols, and their bits. */
bool rt_has_symbols(const rt_tensor *tensor);
uint32_t rt_symbol_bits(const rt_tensor *tensor);
/* The values of a list's symbols, of levels of that interval. */
void rt_fill_table(const rt_tensor *tensor, float step, float *table);
/* Whether a list of so many weights becomes words. */
bool rt_words_pay(const rt_making *m, uint64_t kept);

/* The places of the file become the layer's, with a value for each. */
admmnn_runtime_status rt_list_of_positions(rt_making *m, rt_positions *p);
admmnn_runtime_status rt_list_of_matrix(rt_making *m, const rt_matrix *from);

/* ---- layer_jagged.c ---- */

/* Words become RT_JAGGED where kernels run that and it takes fewer gathers. */
admmnn_runtime_status rt_jag_words(rt_making *m);

/* ---- layer_bands.c: rows that share places ---- */

/* Places of all bands, of the file's positions or, where these are NULL, of a matrix. */
size_t rt_bands_count(const rt_making *m, const rt_positions *positions, const rt_matrix *matrix);
/* The list of the file's positions, at the memory's mark, is given up. */
admmnn_runtime_status rt_bands_of_positions(rt_making *m, rt_positions *p, size_t mark);
admmnn_runtime_status rt_bands_of_matrix(rt_making *m, const rt_matrix *from);

#endif
