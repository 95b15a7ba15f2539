#include "onnx/order.h"

typedef enum state { WAITING, OPEN, DONE } state;

typedef struct walk {
    const Onnx__GraphProto *from;
    const onnx_names *names;
    state *states;
    size_t *next;         /* [node]: its first input that may still have to come before it */
    size_t *stack, depth; /* open nodes, each wanted by the one before */
    size_t *order, count;
} walk;

/* A node that must come before node n and has not; SIZE_MAX: none. */
static size_t wanted_by(const walk *w, size_t n) {
    const Onnx__NodeProto *node = w->from->node[n];
    for (; w->next[n] < node->n_input; w->next[n]++) {
        const onnx_tensor *tensor = onnx_names_find(w->names, node->input[w->next[n]]);
        if (tensor != NULL && tensor->producer != SIZE_MAX && w->states[tensor->producer] != DONE)
            return tensor->producer;
    }
    return SIZE_MAX;
}

static admmnn_status visit(walk *w, size_t first, admmnn_error *err) {
    w->stack[w->depth++] = first;
    w->states[first] = OPEN;
    while (w->depth > 0) {
        const size_t n = w->stack[w->depth - 1];
        const size_t wanted = wanted_by(w, n);
        if (wanted == SIZE_MAX) {
            w->states[n] = DONE;
            w->order[w->count++] = n;
            w->depth--;
            continue;
        }
        if (w->states[wanted] == OPEN) {
            const char *name = w->from->node[n]->name;
            return base_fail(err, ADMMNN_CORRUPT, "node %zu, '%.60s', waits for its own output", n,
                             name == NULL ? "" : name);
        }
        w->states[wanted] = OPEN;
        w->stack[w->depth++] = wanted;
    }
    return ADMMNN_OK;
}

admmnn_status onnx_order(const Onnx__GraphProto *from, const onnx_names *names, onnx_arena *arena,
                         size_t **order, admmnn_error *err) {
    const size_t count = from->n_node;
    walk w = {.from = from,
              .names = names,
              .states = onnx_arena_take(arena, count, sizeof *w.states),
              .next = onnx_arena_take(arena, count, sizeof *w.next),
              .stack = onnx_arena_take(arena, count, sizeof *w.stack),
              .order = onnx_arena_take(arena, count, sizeof *w.order)};
    if (w.states == NULL || w.next == NULL || w.stack == NULL || w.order == NULL)
        return base_fail_memory(err, "an ONNX model");
    for (size_t n = 0; n < count; n++)
        if (w.states[n] == WAITING)
            BASE_TRY(visit(&w, n, err));
    *order = w.order;
    return ADMMNN_OK;
}
