/**
 * The court and its paddles: x grows to the right, y downwards, (0, 0) is the top left corner. Seat 0 has the left
 * paddle. Speeds are in units a tick. Those of the ball are in `ball.ts`.
 */

export const TICK_RATE = 60

export const WIDTH = 800
export const HEIGHT = 600

/** The ball is as wide and as high as twice this; its position is its centre. */
export const BALL_RADIUS = 8

export const PADDLE_WIDTH = 12
export const PADDLE_HEIGHT = 96
/** From the goal line to the paddle's back. A paddle's position is the y of its centre. */
export const PADDLE_INSET = 24
export const PADDLE_SPEED = 8

/** Where the paddles' centres can be. */
export const PADDLE_TOP = PADDLE_HEIGHT / 2
export const PADDLE_BOTTOM = HEIGHT - PADDLE_HEIGHT / 2

/** Where the ball's centre can be. At `GOAL_LEFT` and `GOAL_RIGHT` it touches a goal line, and that is a point. */
export const BALL_TOP = BALL_RADIUS
export const BALL_BOTTOM = HEIGHT - BALL_RADIUS
export const GOAL_LEFT = BALL_RADIUS
export const GOAL_RIGHT = WIDTH - BALL_RADIUS

/** The x of the ball's centre as it touches the paddles' faces, and as it leaves the paddles behind. */
export const FACE_LEFT = PADDLE_INSET + PADDLE_WIDTH + BALL_RADIUS
export const FACE_RIGHT = WIDTH - FACE_LEFT
export const BACK_LEFT = PADDLE_INSET - BALL_RADIUS
export const BACK_RIGHT = WIDTH - BACK_LEFT

/** How far apart the centres of ball and paddle can be in y while they touch. */
export const REACH = PADDLE_HEIGHT / 2 + BALL_RADIUS
