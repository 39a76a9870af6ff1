/** How much was used within the last `windowMs`, to within a 60th of it. */
export interface RollingCount {
  add(amount: number): void
  readonly used: number
}

export function rollingCount(now: () => number, windowMs: number): RollingCount {
  const slotMs = windowMs / 60
  const slots: { from: number; amount: number }[] = []
  const drop = (): void => {
    const oldest = now() - windowMs
    while (slots.length > 0 && slots[0]!.from <= oldest) slots.shift()
  }
  return {
    add(amount) {
      drop()
      const last = slots.at(-1)
      if (last && now() - last.from < slotMs) last.amount += amount
      else slots.push({ from: now(), amount })
    },
    get used() {
      drop()
      return slots.reduce((sum, slot) => sum + slot.amount, 0)
    },
  }
}
