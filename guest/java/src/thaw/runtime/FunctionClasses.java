package thaw.runtime;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The classes of a function: its package, the jars in its {@code lib}, then those in {@code java/lib} of its layers (AWS
 * Lambda Developer Guide, "Working with layers for Java Lambda functions"). The interfaces of aws-lambda-java-core are
 * found there too: the runtime has none of its own, and talks to the function's by their names.
 */
final class FunctionClasses {
    private static final String CORE = "com.amazonaws.services.lambda.runtime.";

    final ClassLoader loader;

    private FunctionClasses(ClassLoader loader) {
        this.loader = loader;
    }

    static FunctionClasses of(Init init) throws IOException {
        List<URL> places = new ArrayList<URL>();
        places.add(new File(init.taskRoot + "/").toURI().toURL());
        addJars(new File(init.taskRoot, "lib"), places);
        for (String layer : init.layerPaths) addJars(new File(layer, "java/lib"), places);
        // Agents, which JAVA_TOOL_OPTIONS adds, are in the system loader, as on AWS.
        return new FunctionClasses(
                new URLClassLoader(places.toArray(new URL[0]), ClassLoader.getSystemClassLoader()));
    }

    /** In the order of their names, which no file system promises. */
    private static void addJars(File folder, List<URL> places) throws IOException {
        String[] names = folder.list();
        if (names == null) return;
        Arrays.sort(names);
        for (String name : names)
            if (name.endsWith(".jar")) places.add(new File(folder, name).toURI().toURL());
    }

    /** A type of aws-lambda-java-core as the function sees it, or null where its package lacks it. */
    Class<?> core(String name) {
        try {
            return Class.forName(CORE + name, true, loader);
        } catch (ClassNotFoundException | LinkageError absent) {
            return null;
        }
    }

    static boolean isCore(Class<?> type, String name) {
        return type.getName().equals(CORE + name);
    }
}
