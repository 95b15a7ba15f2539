/* The C code as it is written: its data, and the calls of its one function. */
#ifndef EXPORT_JOB_H
#define EXPORT_JOB_H

#include "export/code.h"
#include "export/parts.h"
#include "export/plan.h"

/* The function of 8 bits. */
typedef struct export_narrow {
    bool wanted;
    export_plan plan;
    base_writer calls;
    size_t plane;  /* 32-bit numbers of a convolution's plane, the largest */
    float *scales; /* [values] what 1 of a value's numbers stands for */
} export_narrow;

typedef struct export_job {
    const pack_model *model;
    const graph *g;
    float *params;                 /* [g->flat_count] the dense values */
    const admmnn_context *context; /* or NULL */
    const export_plan *plan;       /* of the function that is written */
    export_parts parts;
    bool *told; /* [values] the constants and parameters that are in the data */
    base_writer data, calls;
    export_narrow narrow;
    admmnn_export_sizes sizes;
    admmnn_error *err;
} export_job;

/* ---- text.c ---- */

#define EXPORT_TEXT_MAX 48

/* The name of something of a node or a value: "layer_3". */
typedef struct export_name {
    char text[EXPORT_TEXT_MAX];
} export_name;
export_name export_name_of(const char *kind, uint32_t number);

void export_write_float(base_writer *out, float value);
/* A static array of that name, which has no numbers where there are none to be. */
void export_write_floats(base_writer *out, const char *name, const float *values, size_t count);
void export_write_bytes(base_writer *out, const char *name, const uint8_t *bytes, size_t count);
void export_write_places(base_writer *out, const char *name, const uint32_t *places, size_t count);
/* A name of the file's own in a comment: nothing in it ends the comment. */
void export_write_comment(base_writer *out, const char *name);

/* Expressions of where a value's floats are: of the node's result from an element on, and of its
 * i-th operand, whose numbers are written where they are constant. */
export_name export_result(const export_job *job, const graph_node *node, size_t first);
export_name export_operand(export_job *job, const graph_node *node, uint32_t i);

/* ---- one file each: the data and the calls of a node ---- */

admmnn_status export_layer_write(export_job *job, uint32_t n);
admmnn_status export_pool_write(export_job *job, uint32_t n); /* with a convolution, or not */
void export_element_write(export_job *job, uint32_t n);
admmnn_status export_move_write(export_job *job, uint32_t n);

/* The function of 8 bits, whose layers have the tables that are written already: its calls and
 * their own tables. ADMMNN_UNSUPPORTED: an operation or a layer that has no such form. */
admmnn_status export_narrow_write(export_job *job, const export_code_settings *settings);
/* Of one node, whose scales are found. */
void export_narrow_write_step(export_job *job, uint32_t n);
#define EXPORT_NARROW_MOST 127.0F

admmnn_status export_line_write(export_job *job, uint32_t n); /* normalizations, softmaxes, sums */

#endif
