"""What the shims are for: the registry's wheels import beside a CPU-only torch, and harm nobody else."""
import subprocess
import sys
import textwrap


def test_speechbrain_imports_and_leaves_nothing_that_breaks_who_looks_at_all_modules():
    program = textwrap.dedent("""
        import sys
        from smern_ros import wheel_shims
        wheel_shims.speechbrain()
        from speechbrain.lobes.features import MFCC
        for module in list(sys.modules.values()):
            getattr(module, '__file__', None)
    """)
    subprocess.run([sys.executable, '-c', program], check=True, timeout=120)
