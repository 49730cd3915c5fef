export * from './api.ts'
export * from './codes.ts'
export * from './default-limits.ts'
export * from './envelope.ts'
