import { afterSubscribe, publishSamples, type Scenario, soon } from './scenario.ts'

const account = '/data/AccountChangeEvent'

export const semantics = {
  S56: {
    title: 'The same EventUuid twice, under two replay ids',
    arm: (stage) =>
      afterSubscribe(stage, (channel) => publishSamples(stage.world, channel, 2, { eventUuid: '2ec0e371-1395-457f-9275-be1b527a72f7' })),
  },
  S57: {
    title: 'One replay id for two enriched change events, split over two replies',
    arm: (stage) => {
      stage.world.switches.splitEqualIds = true
      soon(stage, () => {
        stage.world.bus.publish(account, { Name: 'First' })
        stage.world.bus.publish(account, { Name: 'Second' }, { group: 'same' })
      })
    },
  },
  S58: {
    title: 'Gaps, an overflow, merged record ids, a wildcard id, and holes in the sequence',
    arm: (stage) =>
      soon(stage, () => {
        const { bus } = stage.world
        const transactionKey = '0001284f-bf79-b4c7-c7d8-de9e3018d47b'
        bus.publish(
          account,
          { Name: 'Merged' },
          { changeType: 'UPDATE', recordIds: ['001000000000001AAA', '001000000000002AAA'], header: { transactionKey } },
        )
        bus.publish(account, { Name: 'Third' }, { changeType: 'UPDATE', header: { transactionKey, sequenceNumber: 3 } })
        bus.publish(account, {}, { changeType: 'GAP_UPDATE', recordIds: ['001000000000003AAA'] })
        bus.publish(account, {}, { changeType: 'GAP_UPDATE', recordIds: ['001*'] })
        bus.publish(account, {}, { changeType: 'GAP_OVERFLOW', recordIds: ['000000000000000AAA'] })
      }),
  },
  S59: {
    title: 'A large text field comes as a diff',
    arm: (stage) =>
      soon(stage, () => {
        const diff = `--- \n+++ ${'ab'.repeat(32)}\n@@ -1,1 +1,1 @@\n-old\n+new`
        stage.world.bus.publish(account, { Description: { diff } }, { changeType: 'UPDATE' })
      }),
  },
  S60: {
    title: 'The schema id changes between two events',
    arm: (stage) =>
      afterSubscribe(stage, (channel) => {
        publishSamples(stage.world, channel, 1)
        publishSamples(stage.world, channel, 1, { schemaVersion: 1 })
      }),
  },
  S61: {
    title: 'Events are purged up to three hours late',
    arm: ({ world }) => {
      world.switches.latePurgeMs = 10_800_000
    },
  },
  S62: {
    title: 'The bus is reset amid a session: ids start again, lower',
    arm: (stage) => soon(stage, () => stage.faults.resetReplayIds(1_000n)),
  },
} satisfies Record<string, Scenario>
