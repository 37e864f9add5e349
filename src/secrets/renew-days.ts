/** An own certificate that ends within these days is renewed. */
export const RENEW_DAYS = 60;
