import { describe, expect, test } from 'vitest';
import { containerIdOf, parseProcCgroup } from '../../../exporters/cgroup/paths.ts';
import { limitBytes } from '../../../exporters/cgroup/families.ts';

const ID = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);

describe('container ids in cgroup paths', () => {
  test.each([
    `/docker/${ID}`,
    `/system.slice/docker-${ID}.scope`,
    `/mine/${ID}`,
    `/mine.slice/docker-${ID}.scope`,
    `/kubepods/pod01234567-89ab-cdef-0123-456789abcdef/${ID}`,
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-${ID}.scope`,
    `/kubepods.slice/kubepods-pod1.slice/crio-${ID}.scope`,
    `/default/${ID}`,
    `/system.slice/default-${ID}.scope`,
    `/system.slice/cri-containerd:default:${ID}`,
    `/libpod_parent/libpod-${ID}`,
    `/machine.slice/libpod-${ID}.scope`,
    `/machine.slice/libpod-${ID}.scope/container`,
    `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`,
    `/docker/${OTHER}/docker/${ID}`,
  ])('%s', (path) => expect(containerIdOf(path)).toBe(ID));

  test.each([
    '/',
    '/docker',
    '/system.slice/docker.service',
    `/kubepods.slice/crio-conmon-${ID}.scope`,
    `/machine.slice/libpod-conmon-${ID}.scope`,
    `/docker/${ID}/init.scope`,
    `/docker/${ID.slice(1)}`,
    `/docker/${ID}0`,
  ])('%s is no container', (path) => expect(containerIdOf(path)).toBeUndefined());

  test('a process names its cgroup per controller', () => {
    const text = `12:cpu,cpuacct:/docker/${ID}\n1:name=systemd:/x\n0::/docker/${ID}\nnonsense\n3:memory:/../..\n`;
    expect([...parseProcCgroup(text)]).toEqual([
      ['cpu', `/docker/${ID}`],
      ['cpuacct', `/docker/${ID}`],
      ['name=systemd', '/x'],
      ['', `/docker/${ID}`],
    ]);
  });

  test('limits: none is 0', () => {
    expect(limitBytes('9223372036854771712\n')).toBe(0);
    expect(limitBytes('max\n')).toBe(0);
    expect(limitBytes('67108864\n')).toBe(67_108_864);
    expect(limitBytes('')).toBe(0);
  });
});
