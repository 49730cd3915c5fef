export * from './codes.ts'
export * from './envelope.ts'
export * from './limits.ts'
