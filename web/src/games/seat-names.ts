/** What tells the seats of a game apart, to be read after `You are` and before `wins`. */
export type SeatNames = readonly [string, string]

export const PONG_SEATS: SeatNames = ['Left', 'Right']
export const CONNECT_FOUR_SEATS: SeatNames = ['Orange', 'Blue']
