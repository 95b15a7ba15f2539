#include "engine/product.h"

#include "engine/dnnl_api.h"

static char letter_of(engine_factor f) {
    return f.turned ? 'T' : 'N';
}

admmnn_status engine_product(size_t m, size_t n, size_t k, engine_factor a, engine_factor b,
                             bool add, float *c, admmnn_error *err) {
    const dnnl_dim_t rows = (dnnl_dim_t)m;
    const dnnl_dim_t columns = (dnnl_dim_t)n;
    const dnnl_dim_t inner = (dnnl_dim_t)k;
    const int before = dnnl_api_set_threads(1);
    const dnnl_status_t done = dnnl_sgemm(
        letter_of(a), letter_of(b), rows, columns, inner, 1.0F, a.values, a.turned ? rows : inner,
        b.values, b.turned ? inner : columns, add ? 1.0F : 0.0F, c, columns);
    dnnl_api_set_threads(before);
    return done == dnnl_success ? ADMMNN_OK : base_fail_memory(err, "a product of matrices");
}
