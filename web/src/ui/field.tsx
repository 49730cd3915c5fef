import { type InputHTMLAttributes, type ReactNode, useId } from 'react'

/** A form in a column, sent by script. */
export function Form({ onSubmit, children }: { onSubmit: () => void; children: ReactNode }) {
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        onSubmit()
      }}
    >
      {children}
    </form>
  )
}

interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'id'> {
  readonly label: string
  readonly hint?: ReactNode
  /** What is wrong with the value, in words. */
  readonly wrong?: string | null
  /** Stands at the right of the input, such as its button. */
  readonly beside?: ReactNode
}

export function Field({ label, hint, wrong, beside, className, ...input }: FieldProps) {
  const id = useId()
  const describedBy = [hint ? `${id}-hint` : '', wrong ? `${id}-wrong` : ''].filter(Boolean).join(' ')
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="input-row">
        <input
          {...input}
          id={id}
          className={['input', className].filter(Boolean).join(' ')}
          aria-invalid={wrong ? true : undefined}
          aria-describedby={describedBy || undefined}
        />
        {beside}
      </div>
      {hint && (
        <span id={`${id}-hint`} className="hint">
          {hint}
        </span>
      )}
      {wrong && (
        <span id={`${id}-wrong`} className="wrong" role="alert">
          {wrong}
        </span>
      )}
    </div>
  )
}

interface SelectProps<T extends string> {
  readonly label: string
  readonly value: T
  readonly options: readonly { readonly value: T; readonly label: string }[]
  readonly onChange: (value: T) => void
  readonly testId?: string
}

/** One of many, in the browser's own list. */
export function Select<T extends string>({ label, value, options, onChange, testId }: SelectProps<T>) {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className="input"
        value={value}
        onChange={(event) => {
          const chosen = options.find((option) => option.value === event.target.value)
          if (chosen) onChange(chosen.value)
        }}
        data-testid={testId}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  )
}

interface CodeFieldProps {
  readonly value: string
  readonly onChange: (code: string) => void
  readonly label?: string
  readonly autoFocus?: boolean
}

/** The six digits of an authenticator app; keeps digits alone, so that `123 456` can be pasted. */
export function CodeField({ value, onChange, label = 'Code from your authenticator app', autoFocus }: CodeFieldProps) {
  return (
    <Field
      label={label}
      className="input-code"
      autoFocus={autoFocus}
      value={value}
      onChange={(event) => onChange(event.target.value.replace(/\D/g, '').slice(0, 6))}
      inputMode="numeric"
      autoComplete="one-time-code"
      placeholder="000000"
      pattern="[0-9]{6}"
      title="six digits"
      required
      data-testid="totp-code"
    />
  )
}

interface ChoiceProps<T extends string> {
  readonly legend: string
  readonly value: T
  readonly options: readonly { readonly value: T; readonly label: ReactNode; readonly testId?: string }[]
  readonly onChange: (value: T) => void
  readonly hint?: string | undefined
}

/** One of a few, side by side. */
export function Choice<T extends string>({ legend, value, options, onChange, hint }: ChoiceProps<T>) {
  const name = useId()
  return (
    <fieldset className="choice">
      <legend>{legend}</legend>
      <div className="choice-options">
        {options.map((option) => (
          <label key={option.value}>
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
              data-testid={option.testId}
            />
            {option.label}
          </label>
        ))}
      </div>
      {hint && <p className="choice-hint">{hint}</p>}
    </fieldset>
  )
}
