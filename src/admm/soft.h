/* ADMM-S's soft projection (Huang et al. 2020). */
#ifndef ADMM_SOFT_H
#define ADMM_SOFT_H

/* y = z + share (P(z) - z) is the proximal step, with rho, of beta times the distance to the
 * set; distance: ||z - P(z)||. 1: y is the projection itself. */
static inline double admm_soft_share(double distance, double beta, double rho) {
    const double most = beta / rho;
    return distance <= most ? 1 : most / distance;
}

#endif
