export * from './api.ts'
export * from './codes.ts'
export * from './envelope.ts'
export * from './limits.ts'
