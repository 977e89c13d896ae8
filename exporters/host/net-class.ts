import { labelText } from '../../util/metrics.ts';
import { counter, gauge } from '../collector.ts';
import type { Collector, CollectorContext, Family, SampleSet } from '../collector.ts';
import { tryNumber } from '../numbers.ts';

/** A file below /sys/class/net/<device> and the metric it becomes. */
const NUMBERS: readonly (readonly [string, Family])[] = [
  ['addr_assign_type', gauge('node_network_address_assign_type', 'How the address was chosen.', 'device')],
  ['carrier', gauge('node_network_carrier', 'Whether a link is there.', 'device')],
  ['carrier_changes', counter('node_network_carrier_changes_total', 'Times the link came or went.', 'device')],
  ['carrier_up_count', counter('node_network_carrier_up_changes_total', 'Times the link came.', 'device')],
  ['carrier_down_count', counter('node_network_carrier_down_changes_total', 'Times the link went.', 'device')],
  ['dev_id', gauge('node_network_device_id', "The device's number among those that share an address.", 'device')],
  ['dormant', gauge('node_network_dormant', 'Whether the device waits for an outside event.', 'device')],
  ['ifindex', gauge('node_network_iface_id', 'Number of the interface in its namespace.', 'device')],
  ['iflink', gauge('node_network_iface_link', 'Number of the interface it is linked to.', 'device')],
  ['link_mode', gauge('node_network_iface_link_mode', 'Link mode.', 'device')],
  ['mtu', gauge('node_network_mtu_bytes', 'Largest packet in bytes.', 'device')],
  ['name_assign_type', gauge('node_network_name_assign_type', 'How the name was chosen.', 'device')],
  ['netdev_group', gauge('node_network_net_dev_group', 'Group of the device.', 'device')],
  ['type', gauge('node_network_protocol_type', 'Link layer type (ARPHRD number).', 'device')],
  ['tx_queue_len', gauge('node_network_transmit_queue_length', 'Length of the transmit queue in packets.', 'device')],
];
const FLAGS = gauge('node_network_flags', 'Interface flags.', 'device');
const UP = gauge('node_network_up', 'Whether the operational state is `up`.', 'device');
const SPEED = gauge('node_network_speed_bytes', 'Link speed in bytes per second.', 'device');
const INFO = gauge(
  'node_network_info',
  'What is not a number about a device; always 1.',
  'address',
  'adminstate',
  'broadcast',
  'device',
  'duplex',
  'ifalias',
  'operstate',
);
const INTERFACE_UP = 1;

/** Network devices as sysfs describes them. A file that cannot be read (link down) leaves its metric out. */
export function createNetclassCollector({ files, paths }: CollectorContext): Collector {
  const root = `${paths.sysfs}/class/net`;
  let known = new Set<string>();

  function collect(out: SampleSet): void {
    const devices = files.mustList(root);
    for (const device of devices) addDevice(out, device);
    const present = new Set(devices);
    for (const device of known) if (!present.has(device)) files.forget(`${root}/${device}`);
    known = present;
  }

  function addDevice(out: SampleSet, device: string): void {
    const base = `${root}/${device}`;
    const word = (name: string): string => files.tryText(`${base}/${name}`)?.trim() ?? '';
    const flags = tryNumber(word('flags'));
    // Not a device: /sys/class/net also holds bonding_masters, and a device may vanish during the walk.
    if (flags === undefined) return;
    const labels = labelText({ device });
    for (const [name, family] of NUMBERS) {
      const value = tryNumber(word(name));
      if (value !== undefined) out.add(family, labels, value);
    }
    out.add(FLAGS, labels, flags);
    const speed = tryNumber(word('speed'));
    if (speed !== undefined) out.add(SPEED, labels, (speed * 1e6) / 8);
    const operstate = word('operstate');
    out.add(UP, labels, operstate === 'up' ? 1 : 0);
    const info = {
      address: word('address'),
      adminstate: (flags & INTERFACE_UP) !== 0 ? 'up' : 'down',
      broadcast: word('broadcast'),
      device,
      duplex: word('duplex'),
      ifalias: word('ifalias'),
      operstate,
    };
    out.add(INFO, labelText(info), 1);
  }

  const families = [...NUMBERS.map(([, family]) => family), FLAGS, UP, SPEED, INFO];
  return { name: 'netclass', families, source: '/sys/class/net', collect };
}
