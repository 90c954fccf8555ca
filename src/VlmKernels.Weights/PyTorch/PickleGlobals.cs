using System.Collections.Frozen;

namespace VlmKernels.Weights;

/// <summary>What a global is to this reader. None is ever called: those of the first four kinds have a known result, which is put together here.</summary>
internal enum GlobalKind
{
    /// <summary>Not known: what it would make becomes a <see cref="PickleObject"/>.</summary>
    Unknown,

    /// <summary>Makes a tensor of its arguments.</summary>
    Tensor,

    /// <summary>Takes another global and that one's arguments: a tensor of a subclass, or with attributes.</summary>
    Apply,

    /// <summary>Gives back its first argument, perhaps as another kind of container.</summary>
    Wrap,

    /// <summary>Makes a dictionary.</summary>
    Dict,

    /// <summary>Makes a value that is of no interest.</summary>
    Other,

    /// <summary>Makes an object of the class that is its first argument.</summary>
    Construct,

    /// <summary>Could run code if it were called; its mere name refuses the file.</summary>
    Dangerous,
}

/// <summary>The closed list of names that a pickle may look up and what becomes of them.</summary>
internal static class PickleGlobals
{
    private static readonly FrozenDictionary<string, GlobalKind> Known = Table(
        (GlobalKind.Tensor, "torch._utils._rebuild_tensor torch._utils._rebuild_tensor_v2 torch._utils._rebuild_tensor_v3"),
        (GlobalKind.Apply, "torch._tensor._rebuild_from_type torch._tensor._rebuild_from_type_v2 torch.tensor._rebuild_from_type"),
        (GlobalKind.Wrap, "torch._utils._rebuild_parameter torch._utils._rebuild_parameter_with_state torch.Size torch.jit._pickle.build_intlist torch.jit._pickle.build_tensorlist torch.jit._pickle.build_doublelist torch.jit._pickle.build_boollist torch.jit._pickle.restore_type_tag builtins.list builtins.tuple builtins.set builtins.frozenset"),
        (GlobalKind.Dict, "collections.OrderedDict builtins.dict collections.defaultdict"),
        (GlobalKind.Construct, "copyreg._reconstructor copyreg.__newobj__ copyreg.__newobj_ex__"),
        (GlobalKind.Other, "builtins.bool builtins.int builtins.long builtins.float builtins.complex builtins.str builtins.unicode builtins.bytes builtins.bytearray builtins.slice builtins.range builtins.xrange builtins.object _codecs.encode _io.BytesIO io.BytesIO torch.device numpy.dtype numpy.ndarray numpy.core.multiarray.scalar numpy.core.multiarray._reconstruct numpy.core.numeric._frombuffer datetime.datetime datetime.date datetime.time datetime.timedelta"));

    // Modules that reach the system, the interpreter or another loader, wherever in the name they stand: torch.os.system is os.system.
    private static readonly FrozenSet<string> DangerousAnywhere = Set("os posix nt sys subprocess importlib builtins ctypes");

    private static readonly FrozenSet<string> DangerousModules = Set(
        "__builtins__ _aix_support _ctypes _imp _io _operator _osx_support _pickle _posixsubprocess _pyio _testcapi _thread _winapi BaseHTTPServer CGIHTTPServer IPython SimpleHTTPServer aiohttp asyncio atexit bdb cProfile cPickle cloudpickle cmd code codeop commands concurrent dbm dill dis distutils doctest ensurepip fileinput ftplib gc http httplib idlelib imaplib imp inspect io joblib lib2to3 linecache marshal mmap msvcrt multiprocessing ntpath operator pdb pickle pickletools pip pipes pkgutil platform poplib popen2 posixpath profile pty py_compile pydoc requests resource runpy setuptools shelve shutil signal site smtplib socket socketserver sqlite3 ssl tarfile telnetlib tempfile thread threading timeit trace traceback unittest urllib urllib2 uuid venv webbrowser winreg wsgiref xmlrpc zipfile zipimport");

    // Functions only: classes below these names turn up in training states and stay inert like others.
    private static readonly string[] DangerousFunctions =
    [
        "torch.hub.", "torch.load", "torch.save", "torch.compile", "torch.jit.", "torch.package.", "torch.serialization.", "torch.storage._load_from_bytes", "torch.utils.",
        "torch.multiprocessing.", "torch.distributed.", "torch.fx.", "torch.onnx.", "torch.ops.", "torch.classes.", "torch.testing.", "torch._dynamo.", "torch._inductor.", "torch._C.",
        "torch.library.", "torch.cuda.", "numpy.load", "numpy.save", "numpy.fromfile", "numpy.memmap", "numpy.genfromtxt", "numpy.loadtxt", "numpy.testing.", "numpy.f2py.",
        "numpy.distutils.", "numpy.lib.", "pandas.read_", "pandas.eval", "pandas.io.", "types.", "functools.reduce", "functools.partial", "test.support.", "logging.config.", "logging.basicConfig", "codecs.open", "pathlib.",
        "transformers.pipeline", "transformers.utils.",
    ];

    // Python 2's names, and numpy's before version 2.
    private static readonly (string Old, string New)[] Renamed =
    [
        ("__builtin__.", "builtins."), ("copy_reg.", "copyreg."), ("numpy._core.", "numpy.core."), ("sets.Set", "builtins.set"),
    ];

    /// <summary>Judges a global by its full name.</summary>
    public static GlobalKind Kind(string name)
    {
        foreach ((string old, string @new) in Renamed)
        {
            if (name.StartsWith(old, StringComparison.Ordinal)) name = @new + name[old.Length..];
        }
        if (Known.TryGetValue(name, out GlobalKind kind)) return kind;
        return IsDangerous(name) ? GlobalKind.Dangerous : GlobalKind.Unknown;
    }

    private static bool IsDangerous(string name)
    {
        string[] parts = name.Split('.');
        // All of builtins that is not known: an exception or warning is harmless.
        if (parts is ["builtins", [>= 'A' and <= 'Z', ..]]) return false;
        if (DangerousModules.Contains(parts[0]) || parts[..^1].Any(DangerousAnywhere.Contains)) return true;
        // Attributes such as __globals__ lead from any function to any other.
        if (parts[1..].Any(part => part.StartsWith("__", StringComparison.Ordinal) && part.EndsWith("__", StringComparison.Ordinal))) return true;
        bool isClass = parts[^1].Length > 0 && char.IsUpper(parts[^1][0]);
        return name is "types.CodeType" or "types.FunctionType" || (!isClass && DangerousFunctions.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)));
    }

    private static FrozenSet<string> Set(string names) => names.Split(' ').ToFrozenSet(StringComparer.Ordinal);

    private static FrozenDictionary<string, GlobalKind> Table(params (GlobalKind Kind, string Names)[] rows) =>
        rows.SelectMany(row => row.Names.Split(' ').Select(name => KeyValuePair.Create(name, row.Kind))).ToFrozenDictionary(StringComparer.Ordinal);
}
