export const FIRST_PAGE = 50;
export const PAGE = 200;
/** Messages of a room that are kept where nobody looks. */
export const KEEP = 200;
