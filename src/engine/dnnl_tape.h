/* A tape of oneDNN calls over tensors that share one allocation.
 *
 * It is recorded once, then replayed for every batch. Recording a call notes
 * which tensors it uses: a tensor lives from the first call that names it to
 * the last, and tensors that never live together share memory. */
#ifndef ENGINE_DNNL_TAPE_H
#define ENGINE_DNNL_TAPE_H

#include "base/error.h"
#include "engine/dnnl_api.h"

#define TAPE_NONE UINT32_MAX

typedef enum tape_home {
    TAPE_ARENA,     /* the tape's own memory */
    TAPE_PARAMETER, /* part of the parameter vector, at an offset in floats */
    TAPE_GRADIENT   /* part of the gradient vector, at an offset in floats */
} tape_home;

/* When a call is replayed. What TAPE_PREPARE makes depends on the parameters alone, and
 * stays until it is made again. */
typedef enum tape_when { TAPE_PREPARE = 1, TAPE_TRAIN = 2, TAPE_EVALUATE = 4 } tape_when;

/* What later calls read of a tensor's present content, ascending. */
typedef enum tape_kept { TAPE_FORGOTTEN, TAPE_SIGNS, TAPE_KEPT } tape_kept;

typedef struct tape_tensor {
    dnnl_api_desc desc; /* owned */
    dnnl_memory_t memory;
    tape_home home;
    size_t offset;
    size_t bytes;
    size_t birth, death;
    uint32_t origin; /* the tensor this is a reordered copy of, or TAPE_NONE */
    uint32_t base;   /* itself, or the tensor whose memory it sees in another shape */
    tape_kept kept;  /* of a base: by calls that are not recorded yet */
    bool prepared;   /* written by a call of TAPE_PREPARE */
    unsigned when;   /* of a copy: tape_when's, added */
} tape_tensor;

typedef struct tape_argument {
    int role; /* DNNL_ARG_... */
    uint32_t tensor;
} tape_argument;

/* Without a primitive: a mark where the caller reads or writes tensors. */
typedef struct tape_call {
    dnnl_primitive_t primitive;
    unsigned when; /* tape_when's, added */
    size_t first_argument;
    int count;
} tape_call;

typedef struct tape {
    dnnl_api api;
    tape_tensor *tensors;
    uint32_t tensor_count;
    tape_call *calls;
    size_t call_count;
    tape_argument *arguments;
    size_t argument_count;
    int most_arguments;        /* of a call */
    dnnl_exec_arg_t *executed; /* [most_arguments] */
    size_t tensor_capacity, call_capacity, argument_capacity;
    unsigned when; /* of the calls recorded next */
    float *arena;
    size_t arena_bytes;
} tape;

/* tape_close takes what tape_open left, also when that failed. */
admmnn_status tape_open(tape *t, admmnn_error *err);
void tape_close(tape *t);

/* A tensor of that format (copied). */
admmnn_status tape_tensor_add(tape *t, dnnl_api_desc desc, tape_home home, size_t offset,
                              uint32_t *out, admmnn_error *err);

/* The memory of a tensor in the arena in another shape: without a change of the order of
 * its elements. */
admmnn_status tape_view(tape *t, uint32_t tensor, dnnl_api_desc desc, uint32_t *out,
                        admmnn_error *err);

/* Records a call of the primitive described (NULL: a mark), and its scratch
 * memory where it wants any. */
admmnn_status tape_call_add(tape *t, const_dnnl_primitive_desc_t what,
                            const tape_argument *arguments, int count, admmnn_error *err);

/* *out is `tensor` in that format: itself where it has it already, an earlier
 * copy where there is one, else a new tensor and a recorded reorder. */
admmnn_status tape_reorder(tape *t, uint32_t tensor, dnnl_api_desc desc, uint32_t *out,
                           admmnn_error *err);

/* What is recorded next writes the tensor anew: it is no copy and has none
 * any longer. */
void tape_overwrite(tape *t, uint32_t tensor);

/* Records the reorder of one tensor into another. */
admmnn_status tape_copy(tape *t, uint32_t from, uint32_t to, admmnn_error *err);

/* Ends the recording: places the tensors in an arena, of arena_bytes. */
admmnn_status tape_plan(tape *t, admmnn_error *err);

/* Allocates what was planned, once. Gradient tensors get their place in gradient (which may be
 * NULL when there are none). */
admmnn_status tape_place(tape *t, float *gradient, admmnn_error *err);

/* Where the parameters are in the replays to come. */
admmnn_status tape_bind(tape *t, const float *params, admmnn_error *err);

/* Of the calls [first, last) those of that time. */
admmnn_status tape_replay(tape *t, size_t first, size_t last, tape_when when, admmnn_error *err);

/* The floats of a tensor in the arena. */
float *tape_floats(const tape *t, uint32_t tensor);

/* Of what is described: ADMMNN_UNSUPPORTED where oneDNN has no such primitive or takes no
 * such shape, ADMMNN_MEMORY, or ADMMNN_BACKEND, with what failed. */
admmnn_status tape_fail(admmnn_error *err, dnnl_status_t status, const char *what);

#endif
